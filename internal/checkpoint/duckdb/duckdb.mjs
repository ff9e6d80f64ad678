// Runs SQL statements in DuckDB. Reads a JSON list of statements, runs them in order on one
// connection, and writes a JSON list with one element for each: its rows, or its error.
// duckdb_test.go runs this script.
import { text } from 'node:stream/consumers'
import { DuckDBInstance } from '@duckdb/node-api'

async function run(connection, statement) {
  try {
    const reader = await connection.runAndReadAll(statement)
    return { rows: reader.getRowObjectsJson() }
  } catch (error) {
    return { error: error.message }
  }
}

const statements = JSON.parse(await text(process.stdin))
const instance = await DuckDBInstance.create(':memory:')
const connection = await instance.connect()
await connection.run("SET TimeZone = 'UTC'")
const results = []
for (const statement of statements) {
  results.push(await run(connection, statement))
}
process.stdout.write(JSON.stringify(results))
