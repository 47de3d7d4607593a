/** A finished reply as it goes into the memo: its bytes, and what in them changes from one time to the next. */
export interface KeptReply {
  /** A reply to a question in lower case, or to any if it is `anyCase`. */
  readonly reply: Buffer
  /** The facts it rests on: pairs of cell and version. */
  readonly facts: readonly number[]
  /** Until when it is right, milliseconds on the clock of `find`; infinite: until a fact changes. */
  readonly until: number
  /** Offsets of the TTLs that count down since `keptAt`; none: they stand still (data of our own). */
  readonly ttls: readonly number[]
  readonly keptAt: number
  /** Where the SOA's serial stands and the board's cell that has it now; 0: there is none to write. */
  readonly serialAt: number
  readonly serialCell: number
  /** Where the DNS cookie stands, to which the rest of the reply is the same for all; 0: there is none. */
  readonly cookieAt: number
  /** Only the question's bytes tell the spelling: a question in other letters gets the same reply with its own. */
  readonly anyCase: boolean
  /** The run of address records that takes turns: where it begins, bytes of each, how many; 0 records: none. */
  readonly turnsAt: number
  readonly turnsSize: number
  readonly turnsCount: number
  /** By which number hits are counted. */
  readonly profile: number
  /** Present: it is the reply to all names below the last `labels` labels of its question's, but for what may exist. */
  readonly below?: BelowTerms | undefined
}

export interface BelowTerms {
  readonly labels: number
  /** The hash to which the label left of these is added, for the board's `mayExist`; undefined: nothing exists there. */
  readonly hash: number | undefined
  /** Offsets of the pointers into the question. */
  readonly pointers: readonly number[]
  /** Where the question ends. */
  readonly questionEnd: number
}
