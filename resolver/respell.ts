import type { Question } from './query.ts'
import type { Answer } from './verdict.ts'
import { canonicalName } from './wire/name.ts'
import type { ResourceRecord } from './wire/record.ts'

/** The answer with the question's name spelled as this client spelled it: 0x20 clients compare owner names by byte. */
export const respell = (answer: Answer, { name, canonicalName: canonical }: Question): Answer => {
  if (answer.answers.every(record => record.name === name)) return answer
  const spelled = (record: ResourceRecord): ResourceRecord =>
    record.name !== name && canonicalName(record.name) === canonical ? { ...record, name } : record
  return { ...answer, answers: answer.answers.map(spelled) }
}
