/**
 * bind: the addresses that a server block listens on, instead of all. The listeners themselves are made before plugins
 * are set up (`corefile/server-blocks.ts`); the plugin stands for the directive.
 */
import { accepted } from '#lib/result.ts'
import { bindAddresses, bindOptions } from '../corefile/bind-addresses.ts'
import type { Plugin, PluginModule } from '../plugin.ts'

export const bindPlugin: PluginModule = {
  name: 'bind',
  options: bindOptions,
  repeatable: true,
  setup(directive) {
    const addresses = bindAddresses([directive])
    return addresses.ok ? accepted<Plugin>({ name: 'bind' }) : addresses
  },
}
