/** Words for the states of deliveries, wherever they are shown. */
import type { DeliveryState } from '../../../src/domain/notification.ts'
import { words } from '../language.ts'
import type { Tone } from '../ui/pieces.tsx'

export const STATE_TONES = {
  waiting: 'none',
  ready: 'none',
  sending: 'none',
  retrying: 'warn',
  delivered: 'good',
  dead: 'bad',
  cancelled: 'none',
  held: 'warn',
} as const satisfies Record<DeliveryState, Tone>

export const STATE_WORDS = words<DeliveryState>({
  waiting: { en: 'waiting', ru: 'ждёт очереди', uk: 'чекає черги' },
  ready: { en: 'ready', ru: 'готова к отправке', uk: 'готова до надсилання' },
  sending: { en: 'being sent', ru: 'отправляется', uk: 'надсилається' },
  retrying: { en: 'to be retried', ru: 'будет повторена', uk: 'буде повторена' },
  delivered: { en: 'delivered', ru: 'доставлена', uk: 'доставлена' },
  dead: { en: 'given up', ru: 'не доставлена', uk: 'не доставлена' },
  cancelled: { en: 'cancelled', ru: 'отменена', uk: 'скасована' },
  held: { en: 'held', ru: 'удержана', uk: 'утримана' },
})
