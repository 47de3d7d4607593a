/** What checking a part of an expression gives, and what those that check parts of it ask of the checker. */
import type { ASTNode } from '@marcbachmann/cel-js'
import type { Run } from './frame.ts'
import type { Scope } from './scope.ts'
import type { CelType } from './type.ts'

export interface Checked {
  readonly type: CelType
  readonly run: Run
  /** Written out, or made of what is, before the expression ever runs. */
  readonly isConstant?: boolean
}

export interface CelProblem {
  /** In the tree's source. */
  readonly position: number
  readonly text: string
}

export interface Checks {
  check(node: ASTNode, scope: Scope): Checked
  /** Notes a problem; what it is of counts as anything from there on, so that it is told once. */
  problem(node: ASTNode, text: string, position?: number): Checked
  mismatch(node: ASTNode, name: string, types: string): Checked
}
