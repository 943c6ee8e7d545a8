import { onEachStore } from '../support/store.ts'
import { appsContract } from './apps.contract.ts'
import { appsWalkContract } from './apps-walk.contract.ts'
import { installationsContract } from './installations.contract.ts'
import { leavingContract } from './leaving.contract.ts'

onEachStore((opened) => {
  appsContract(opened)
  installationsContract(opened)
  leavingContract(opened)
  appsWalkContract(opened)
})
