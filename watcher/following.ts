/** How a list that is kept right stands to its server. */

export type FollowState =
  /** Each change is heard of as it is made: what the list does not have does not exist. */
  | 'following'
  /** A list or a watch has been asked for, and what was missed has not come yet. */
  | 'trying'
  /** The server answered the last try, and not well; the next one comes by itself. */
  | 'refused'
  /** The last try came to nobody, or was cut off; the next one comes by itself. */
  | 'unreachable'

export interface Following {
  readonly state: FollowState
  /** Told after each change of state, and of each new try. Must not throw. Returns the way to stop. */
  subscribe(listener: (state: FollowState) => void): () => void
  /** Ends the wait for the next try, which is told before anything else happens to the list. */
  retry(): void
}
