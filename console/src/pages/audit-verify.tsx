/** Whether somebody has changed the audit past the gateway. */
import { useState } from 'preact/hooks'
import type { z } from 'zod'
import type { verifyView } from '../../../src/adapters/http/schemas/audit.ts'
import type { BrokenReason } from '../../../src/domain/audit-chain.ts'
import { api, withQuery } from '../api.ts'
import { useWords, words } from '../language.ts'
import { Button, Card, CopyBox, ErrorNote, Time } from '../ui/pieces.tsx'

type Result = z.output<typeof verifyView>

const WORDS = words({
  title: {
    en: 'Is it as it was written?',
    ru: 'Не изменён ли журнал?',
    uk: 'Чи не змінено журнал?',
  },
  verify: { en: 'Verify', ru: 'Проверить', uk: 'Перевірити' },
  checking: { en: 'Verifying…', ru: 'Проверяется…', uk: 'Перевіряється…' },
  ok: {
    en: {
      one: 'Nobody has changed it: {count} row is as it was written.',
      other: 'Nobody has changed it: {count} rows are as they were written.',
    },
    ru: {
      one: 'Журнал не изменён: проверена {count} строка.',
      few: 'Журнал не изменён: проверены {count} строки.',
      other: 'Журнал не изменён: проверено {count} строк.',
    },
    uk: {
      one: 'Журнал не змінено: перевірено {count} рядок.',
      few: 'Журнал не змінено: перевірено {count} рядки.',
      other: 'Журнал не змінено: перевірено {count} рядків.',
    },
  },
  broken: {
    en: 'The audit cannot be trusted from row {seq} on.',
    ru: 'Журналу нельзя доверять, начиная со строки {seq}.',
    uk: 'Журналу не можна довіряти, починаючи з рядка {seq}.',
  },
  checkpoint: {
    en: 'Newest checkpoint: number {number}, up to row {seq}, signed',
    ru: 'Последняя контрольная точка: № {number}, до строки {seq}, подписана',
    uk: 'Остання контрольна точка: № {number}, до рядка {seq}, підписана',
  },
  note: {
    en: 'Note this hash elsewhere: row {seq} must always have it. It shows when the end was cut off.',
    ru: 'Запишите этот хеш в другом месте: он всегда должен быть у строки {seq}. Так будет видно, если конец журнала обрезали.',
    uk: 'Запишіть цей геш деінде: рядок {seq} завжди має його мати. Так буде видно, якщо кінець журналу обрізали.',
  },
  hash: { en: 'Hash of the checkpoint', ru: 'Хеш контрольной точки', uk: 'Геш контрольної точки' },
  none: {
    en: 'There is no checkpoint yet; the first follows within seconds of the first change.',
    ru: 'Контрольных точек пока нет; первая появится через несколько секунд после первого изменения.',
    uk: 'Контрольних точок поки немає; перша з’явиться за кілька секунд після першої зміни.',
  },
})

const REASONS = words<BrokenReason>({
  changed: {
    en: 'It is not as it was when it was sealed, or not where it was.',
    ru: 'После запечатывания её изменили или переставили.',
    uk: 'Після запечатування його змінили або переставили.',
  },
  missing: {
    en: 'It is missing: somebody has taken it out.',
    ru: 'Её нет: кто-то её удалил.',
    uk: 'Його немає: хтось його вилучив.',
  },
  inserted: {
    en: 'The gateway did not write it: somebody has put it in.',
    ru: 'Её записал не шлюз: кто-то её вставил.',
    uk: 'Його записав не шлюз: хтось його вставив.',
  },
  checkpoint_differs: {
    en: 'The rows up to here are not those that the checkpoint was made of.',
    ru: 'Строки до этого места не те, по которым составлена контрольная точка.',
    uk: 'Рядки до цього місця не ті, за якими складено контрольну точку.',
  },
  checkpoint_forged: {
    en: 'The signature of the checkpoint here is not genuine.',
    ru: 'Подпись контрольной точки в этом месте поддельная.',
    uk: 'Підпис контрольної точки в цьому місці підроблений.',
  },
  checkpoint_missing: {
    en: 'A checkpoint that belongs here is missing.',
    ru: 'Контрольной точки, которая должна быть в этом месте, нет.',
    uk: 'Контрольної точки, яка має бути в цьому місці, немає.',
  },
  checkpoint_key_unknown: {
    en: 'The newest checkpoint was signed under a master key that is not configured any more. Add it to ASSENT_MASTER_KEY and verify again.',
    ru: 'Последняя контрольная точка подписана мастер-ключом, которого больше нет в настройках. Добавьте его в ASSENT_MASTER_KEY и повторите проверку.',
    uk: 'Остання контрольна точка підписана майстер-ключем, якого більше немає в налаштуваннях. Додайте його до ASSENT_MASTER_KEY і повторіть перевірку.',
  },
})

export function Verify({ accountId }: { accountId: string }) {
  const say = useWords(WORDS)
  const [result, setResult] = useState<Result | undefined>(undefined)
  const [error, setError] = useState<unknown>(undefined)
  const [isBusy, setBusy] = useState(false)
  const verify = () => {
    setBusy(true)
    setError(undefined)
    api
      .get<Result>(withQuery('/v1/audit/verify', { accountId }))
      .then(setResult, setError)
      .finally(() => setBusy(false))
  }
  return (
    <Card title={say('title')}>
      <div class="row">
        <Button onClick={verify} disabled={isBusy}>
          {isBusy ? say('checking') : say('verify')}
        </Button>
      </div>
      {error === undefined ? null : <ErrorNote error={error} />}
      <div aria-live="polite" class="stack">
        {result === undefined ? null : <Found result={result} />}
      </div>
    </Card>
  )
}

function Found({ result: { ok, checked, firstBroken, checkpoint } }: { result: Result }) {
  const say = useWords(WORDS)
  const sayReason = useWords(REASONS)
  return (
    <>
      {ok ? <p class="note good">{say('ok', { count: checked })}</p> : null}
      {firstBroken === undefined ? null : (
        <p class="note bad">
          {say('broken', { seq: firstBroken.seq })} {sayReason(firstBroken.reason)}
        </p>
      )}
      {checkpoint === null ? (
        <p class="soft">{say('none')}</p>
      ) : (
        <>
          <p>
            {say('checkpoint', { number: checkpoint.number, seq: checkpoint.seq })}{' '}
            <Time at={checkpoint.at} />
          </p>
          <p class="soft">{say('note', { seq: checkpoint.seq })}</p>
          <CopyBox text={checkpoint.hash} label={say('hash')} />
        </>
      )}
    </>
  )
}
