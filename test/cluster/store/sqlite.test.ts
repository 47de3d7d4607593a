import test from 'ava'
import { openSqliteStore } from '#cluster/store/backends/sqlite/sqlite-store.ts'
import { systemClock } from '#lib/clock.ts'
import { silentLogger } from '#lib/log.ts'
import { createRegistry } from '#lib/metrics.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import type { MakePlace } from './contract/place.ts'
import { testContract } from './contract.ts'

const makePlace: MakePlace = t => {
  const directory = temporaryFolder(t)
  return {
    open: (clock = systemClock) =>
      openSqliteStore({ directory, clock, logger: silentLogger, registry: createRegistry() }),
  }
}

testContract(test, 'sqlite', makePlace)
