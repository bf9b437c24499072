/**
 * Brings the jars of a Kafka broker from the Maven repository into a cache outside the tree, for tests and demos:
 * `tsx scripts/fetch-kafka.ts [version]`. Needs Java 17 or later and Maven; 43 MB, fetched once.
 *
 * `KAFKA_VERSION` names another version (3.9.x and 4.x are known to run), `TOLLWATCH_CACHE` another folder.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const defaultVersion = '4.1.0'

export function kafkaVersion(): string {
  return process.env['KAFKA_VERSION'] ?? defaultVersion
}

/** The folder that holds the jars of this version, or null when they have not been fetched yet. */
export function cachedJars(version: string = kafkaVersion()): string | null {
  const folder = jarFolder(version)
  return existsSync(join(folder, `kafka_2.13-${version}.jar`)) ? folder : null
}

function cacheFolder(): string {
  return process.env['TOLLWATCH_CACHE'] ?? join(homedir(), '.cache', 'tollwatch')
}

function jarFolder(version: string): string {
  return join(cacheFolder(), `kafka-${version}`)
}

/**
 * Fetches the jars unless they are cached. Two fetches at a time do no harm: each works in a folder of its own and the
 * first to finish is kept.
 *
 * @param progress told the number of jars there so far, about twice a second
 * @returns the folder with the jars
 */
export async function fetchKafka(
  version: string = kafkaVersion(),
  progress: (jars: number) => void = () => {},
): Promise<string> {
  const cached = cachedJars(version)
  if (cached !== null) return cached
  mkdirSync(cacheFolder(), { recursive: true })
  const work = mkdtempSync(join(cacheFolder(), 'fetching-'))
  const libs = join(work, 'libs')
  try {
    writeFileSync(join(work, 'pom.xml'), pom(version))
    const ticking = setInterval(() => progress(existsSync(libs) ? readdirSync(libs).length : 0), 500)
    try {
      await maven(work, libs)
    } finally {
      clearInterval(ticking)
    }
    progress(readdirSync(libs).length)
    const folder = jarFolder(version)
    if (cachedJars(version) === null) {
      rmSync(folder, { recursive: true, force: true })
      renameSync(libs, folder)
    }
    return folder
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

async function maven(cwd: string, libs: string): Promise<void> {
  const args = ['-q', '-B', 'dependency:copy-dependencies', `-DoutputDirectory=${libs}`]
  const child = spawn('mvn', args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8')
    stream.on('data', (text: string) => {
      said = (said + text).slice(-4_000)
    })
  }
  const [code] = (await once(child, 'close')) as [number | null]
  if (code !== 0) throw new Error(`mvn could not fetch Kafka (exit ${code}):\n${said}`)
}

/** The broker's own jar draws in the rest; the SLF4J binding lets its warnings reach standard error. */
function pom(version: string): string {
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>tollwatch</groupId><artifactId>kafka-for-tests</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>${version}</version></dependency>
    <dependency><groupId>org.slf4j</groupId><artifactId>slf4j-simple</artifactId><version>1.7.36</version></dependency>
  </dependencies>
</project>
`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const version = process.argv[2] ?? kafkaVersion()
  const show = (jars: number) => process.stderr.write(process.stderr.isTTY ? `\rKafka ${version}: ${jars} jars` : '')
  const folder = await fetchKafka(version, show)
  if (process.stderr.isTTY) process.stderr.write('\n')
  console.log(`Kafka ${version} is in ${folder}`)
}
