/** All controllers. */
import type { CreateController } from '../controller.ts'
import { namespaceController } from './namespace.ts'
import { rootCaPublisher } from './root-ca-publisher.ts'
import { serviceAccountController } from './service-account.ts'
import { serviceCidrController } from './service-cidr.ts'

export const CONTROLLERS: readonly CreateController[] = [
  namespaceController,
  rootCaPublisher,
  serviceAccountController,
  serviceCidrController,
]
