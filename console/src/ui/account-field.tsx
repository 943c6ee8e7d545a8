/** Which account, for the admins of `default`. */
import type { z } from 'zod'
import type { accountView } from '../../../src/adapters/http/schemas/account.ts'
import { useWords, words } from '../language.ts'
import { SelectField } from './form.tsx'
import { useAll } from './settings.tsx'

export type Account = z.output<typeof accountView>

const WORDS = words({ account: { en: 'Account', ru: 'Аккаунт', uk: 'Акаунт' } })

type AccountProps = {
  readonly value: string
  readonly onChange: (id: string) => void
  readonly help?: string
  readonly wrong?: string | undefined
}

export function AccountField({ value, onChange, help, wrong }: AccountProps) {
  const say = useWords(WORDS)
  const { data = [] } = useAll<Account>('/v1/accounts')
  const others = data.filter(({ id }) => id !== value)
  const own = data.find(({ id }) => id === value) ?? { id: value, title: value }
  return (
    <SelectField
      label={say('account')}
      help={help}
      wrong={wrong}
      value={value}
      choices={[own, ...others].map(({ id, title }) => ({
        value: id,
        label: id === title ? id : `${title} (${id})`,
      }))}
      onChange={onChange}
    />
  )
}
