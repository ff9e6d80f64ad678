// Decides requests with @cloud-copilot/iam-simulate. Reads one request with its policies per line,
// and writes one answer per line, in order. An answer has a decision, or an error if there is none.
// oracle_test.go runs this script.
import { createInterface } from 'node:readline'
import { anonymousPrincipal, runSimulation } from '@cloud-copilot/iam-simulate'

const decisions = { Allowed: 'allow', ExplicitlyDenied: 'explicit deny', ImplicitlyDenied: 'implicit deny' }

const named = (policies) => policies.map((policy, i) => ({ name: `policy ${i}`, policy }))

// An organization with one level, or none.
const level = (policies) => (policies ? [{ orgIdentifier: 'account', policies: named(policies) }] : [])

function simulation(question) {
  return {
    request: {
      principal: question.principal || anonymousPrincipal,
      action: question.action,
      resource: { resource: question.resource, accountId: question.account },
      contextVariables: question.context,
    },
    identityPolicies: named(question.identity ?? []),
    permissionBoundaryPolicies: question.boundary && named([question.boundary]),
    sessionPolicy: question.session,
    resourcePolicy: question.policy,
    serviceControlPolicies: level(question.serviceControl),
    resourceControlPolicies: level(question.resourceControl), // it always adds RCPFullAWSAccess, as AWS does
  }
}

async function answer(question) {
  const result = await runSimulation(simulation(question), { simulationMode: 'Strict' })
  if (result.resultType !== 'single') {
    return { error: `returned ${result.resultType}: ${JSON.stringify(result.errors)}` }
  }
  if (result.result.ignoredContextKeys.length > 0) {
    return { error: `ignored the context keys ${result.result.ignoredContextKeys}` }
  }
  return { decision: decisions[result.overallResult] }
}

for await (const line of createInterface({ input: process.stdin })) {
  let reply
  try {
    reply = await answer(JSON.parse(line))
  } catch (error) {
    reply = { error: String(error?.stack ?? error) }
  }
  process.stdout.write(`${JSON.stringify(reply)}\n`)
}
