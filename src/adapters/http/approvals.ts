/** `POST /v1/approve`, and what comes after it when the caller commits by itself. */

import {
  abortApproval,
  type CommitApprovalPorts,
  commitApproval,
} from '../../app/commit-approval.ts'
import {
  answerOf,
  commandOf,
  IDEMPOTENCY_HEADERS,
  keepOf,
  type Render,
  type WritePorts,
} from './command.ts'
import { ok, type Route, route } from './route.ts'
import {
  abortResponse,
  approveRequest,
  approveResponse,
  commitRequest,
  commitResponse,
} from './schemas/approval.ts'
import { progressAnswer } from './sse.ts'

export type ApprovalPorts = WritePorts & CommitApprovalPorts

const render: Render = (response) => ({ status: 200, body: JSON.stringify(response) })

export function approvalRoutes(ports: ApprovalPorts): Route[] {
  return [
    route({
      method: 'POST',
      path: '/v1/approve',
      scopes: ['approve'],
      tag: 'Approve',
      summary: 'Ask everybody who has a say about a change and, on allow, commit it',
      body: approveRequest,
      headers: { ...IDEMPOTENCY_HEADERS, Accept: '`text/event-stream` to watch it happen.' },
      responses: {
        200: { description: 'Allow, deny and confirm alike.', schema: approveResponse },
      },
      handle: (context) => {
        const keep = keepOf(context, 'POST /v1/approve', ports, render)
        const command = commandOf(context, context.body, keep, ports)
        return context.header('accept')?.includes('text/event-stream') === true
          ? progressAnswer(command, ports)
          : answerOf(command, ports, render)
      },
    }),
    route({
      method: 'POST',
      path: '/v1/approvals/{decisionId}/commit',
      scopes: ['approve'],
      tag: 'Approve',
      summary: 'Say that an approved change was committed by the caller; counts once',
      body: commitRequest,
      responses: { 200: { description: 'Committed; everybody is told.', schema: commitResponse } },
      handle: async ({ caller: { accountId }, params: { decisionId = '' }, body }) => {
        const { token, recordId, values } = body
        return ok(await commitApproval({ accountId, decisionId, token, recordId, values }, ports))
      },
    }),
    route({
      method: 'POST',
      path: '/v1/approvals/{decisionId}/abort',
      scopes: ['approve'],
      tag: 'Approve',
      summary: 'Say that an approved change will not be committed',
      responses: { 200: { description: 'Aborted.', schema: abortResponse } },
      handle: async ({ caller: { accountId }, params: { decisionId = '' } }) =>
        ok(await abortApproval(accountId, decisionId, ports)),
    }),
  ]
}
