/** Values of every form and filters of every kind, for whoever decides which of them fit each other. */
import type { RecordFilter } from '../../src/domain/record-filter.ts'
import type { Values } from '../../src/domain/values.ts'

export const FIELD_VALUES: Readonly<Record<string, unknown>> = {
  text: 'Red wine',
  empty: '',
  percent: '100 %_\\',
  digits: '5',
  five: 5,
  negative: -2.5,
  large: 9_007_199_254_740_991,
  zero: 0,
  yes: true,
  no: false,
  null: null,
  choice: ['1', '3'],
  numbers: [1, 5],
  none: [],
  nested: [['1']],
  contacts: [{ contact: '+7-901 wine', comment: '5' }],
  emptyContact: [{ comment: 'wine' }],
  user: [{ id: '5', title: 'Anna' }],
  numberedUser: [{ id: 5 }],
  oneUser: { id: '5' },
  link: [{ catalogId: '18', recordId: '9', recordTitle: 'x' }],
  numberedLink: [{ catalogId: 18, recordId: 9 }],
  links: [
    { catalogId: '18', recordId: '1' },
    { catalogId: '7', recordId: '9' },
  ],
  object: { contact: 'wine', at: 5 },
}

const field = 'f'
export const FILTERS: readonly (readonly [RecordFilter, readonly string[]])[] = [
  [{ field, kind: 'contains', text: 'wine' }, ['text', 'contacts']],
  [{ field, kind: 'contains', text: 'Wine' }, []],
  [{ field, kind: 'contains', text: '%' }, ['percent']],
  [{ field, kind: 'contains', text: '_\\' }, ['percent']],
  [{ field, kind: 'contains', text: '5' }, ['digits', 'five']],
  [{ field, kind: 'contains', text: 'true' }, ['yes']],
  [{ field, kind: 'contains', text: '' }, ['text', 'empty', 'percent', 'digits', 'contacts']],
  [{ field, kind: 'range', from: 0, to: 5 }, ['five', 'zero']],
  [{ field, kind: 'range', from: undefined, to: 0 }, ['negative', 'zero']],
  [{ field, kind: 'range', from: 5.1, to: undefined }, ['large']],
  [{ field, kind: 'range', from: 6, to: 5 }, []],
  [
    { field, kind: 'oneOf', options: ['5', '3'] },
    ['digits', 'five', 'choice', 'numbers', 'user', 'numberedUser', 'oneUser'],
  ],
  [{ field, kind: 'oneOf', options: ['true'] }, ['yes']],
  [{ field, kind: 'oneOf', options: ['null'] }, []],
  [{ field, kind: 'oneOf', options: [''] }, ['empty']],
  [
    { field, kind: 'linked', records: [{ catalogId: '18', recordId: '9' }] },
    ['link', 'numberedLink'],
  ],
  [
    {
      field,
      kind: 'linked',
      records: [
        { catalogId: '18', recordId: '1' },
        { catalogId: '9', recordId: '18' },
      ],
    },
    ['links'],
  ],
  [{ field: 'other', kind: 'contains', text: '' }, []],
  [{ field: 'other', kind: 'oneOf', options: ['5'] }, []],
  [{ field: 'other', kind: 'range', from: undefined, to: undefined }, []],
]

export const recordWith = (name: string): Values => ({ f: FIELD_VALUES[name] })
