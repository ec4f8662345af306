/** What a duty of the roster asks for. Pure. */
import type { Me } from '@/api/session'
import { always, type Field, type Values } from '@/forms/fields'
import { NoticeChannel } from '@/generated/contract'
import { codesOf, departmentChip } from '@/model/codes'
import { minuteOf } from './facts'
import { DEPARTMENT_ROLES, DUTY_ROLES } from './roles'

type DutyField = Field<Me>
const field = (name: string, kind: DutyField['kind'], more: Partial<DutyField> = {}): DutyField => ({ name: `duty.${name}`, kind, label: `notice.field.${name}`, ...more })
const needed = { required: always }
const ofDepartment = (values: Values): boolean => DEPARTMENT_ROLES.includes(String(values['duty.role']))
const minute = (name: string, sent: string): DutyField => field(name, 'clock', { wire: (value) => ({ [`duty.${sent}`]: minuteOf(String(value)) }), aliases: [`duty.${sent}`] })

export const DUTY_FIELDS: DutyField[] = [
  field('subject', 'line', { ...needed, limit: 100 }),
  field('name', 'line', { ...needed, limit: 50 }),
  field('role', 'choice', { ...needed, initial: () => 'DEPT_HANDLER', options: (_, { t }) => DUTY_ROLES.map((role) => ({ value: role, label: t(`dutyRole.${role}`) })) }),
  field('department', 'choice', {
    required: always, shown: ofDepartment, initial: (me) => me.department || undefined,
    options: (_, { language }) => codesOf('departments').map(({ code }) => ({ value: code, label: departmentChip(code, language) })),
  }),
  field('areaCode', 'line', { ...needed, limit: 17, initial: (me) => me.area }),
  field('channels', 'several', { options: (_, { t }) => NoticeChannel.slice(1).map((channel) => ({ value: channel, label: t(`channel.${channel}`) })) }),
  field('phone', 'line', { limit: 16 }),
  field('email', 'line', { limit: 245 }),
  field('webhookUrl', 'line', { limit: 500 }),
  field('weekdays', 'several', {
    hint: 'notice.weekdaysHint', options: (_, { t }) => ['1', '2', '3', '4', '5', '6', '7'].map((day) => ({ value: day, label: t(`weekday.${day}`) })),
    wire: (value) => ({ 'duty.weekdays': (value as string[]).map(Number) }),
  }),
  minute('from', 'fromMinute'),
  minute('until', 'untilMinute'),
  field('atNight', 'switch', { ...needed, label: 'notice.atNight', initial: () => false }),
]
