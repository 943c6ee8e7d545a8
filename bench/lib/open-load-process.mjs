/** The process that makes the load of open-load.mjs: reads an order from a file, writes the result to another. */
import { readFileSync, writeFileSync } from 'node:fs'
import { NUMBER_PLACEHOLDER } from './open-load.mjs'
import { OpenLoop } from './open-loop.mjs'

const FIRST_NUMBER = 100_000_000

const [orderPath, resultPath] = process.argv.slice(2)
const order = JSON.parse(readFileSync(orderPath, 'utf8'))
const pieces = order.request.split(String(NUMBER_PLACEHOLDER))
const make = (sequence) => pieces.join(String(FIRST_NUMBER + sequence))
const result = await new OpenLoop({ ...order, make }).run()
writeFileSync(resultPath, JSON.stringify(result))
process.exit(0)
