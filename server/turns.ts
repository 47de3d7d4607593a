/** Turns of the event loop: what waits in this process's sockets when it is called has been read when it resolves. */
export const turns = async (count = 2): Promise<void> => {
  // The first may be what is left of a turn whose reading is over.
  for (let turn = 0; turn < count; turn++) await new Promise(resolve => setImmediate(resolve))
}
