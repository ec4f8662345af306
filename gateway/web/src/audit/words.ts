/** What people read about the audit trail and retention. Both languages stand here, side by side; `i18n` takes them in. */
export const zh = {
  title: '审计与留存',
  trail: '审计记录', alerts: '审计告警', retention: '留存期限',
  none: '没有符合条件的记录。',
  more: '显示更多',
  recorded: '查阅审计记录本身也会留下记录（目的：审计）。',
  subject: '账号', event: '事项', anyEvent: '全部事项', resident: '居民编号', residentHint: '居民登记网址中的编号', area: '操作人区域', since: '从', before: '到', find: '查询',
  column: { at: '时间', who: '操作人', what: '事项', why: '目的', about: '对象', where: '区域', details: '详情' },
  people: '{n} 人', rpc: '接口', digest: '校验值', roles: '角色', note: '说明',
  states: { AUDIT_ALERT_STATE_OPEN: '待核查', AUDIT_ALERT_STATE_CLOSED: '已核查' } as Record<string, string>,
  each: '每次发生即告警', over: '{window} 内 {count} 次，超过 {threshold} 次', hours: '{n} 小时', days: '{n} 天', minutes: '{n} 分钟',
  raised: '{time} 告警', reviewBy: '{time} 前核查', closed: '{by} · {time}', lookUp: '查看此人的操作',
  verb: '核查完毕', hint: '写明核查了什么、是否正当。不能核查自己的操作。', finding: '核查结论',
  rules: '到期怎样处理', runs: '处理记录', noRuns: '还没有处理记录。', daily: '每天检查一次，到期的分批处理；法定保存义务优先。',
  head: { rule: '内容', purpose: '目的', days: '保存', action: '到期后', basis: '依据', last: '最近一次', day: '日期', looked: '检查', done: '处理', time: '用时' },
  after: '结束后 {n} 天', running: '进行中', seconds: '{n} 秒', never: '尚未执行',
  action: { anonymise: '去标识', clear: '清除内容', remove: '删除', trim: '删除最早的记录', forget: '只留采信值及其来源' } as Record<string, string>,
  rule: {
    residents: '离开满期的居民', verification_orders: '核实指令的内容', verification_orders_cancelled: '已撤销的核实指令', field_ledgers: '字段的信息来源与核验证据', data_requests: '数据权利请求', audit_entries: '审计记录', care_entries: '关爱台账', visit_plans: '走访计划', welfare_watches: '独居守护',
    life_events: '生命事件的内容', life_events_cancelled: '已撤销的生命事件', life_events_open: '逾期未办的生命事件', elder_orders: '养老服务订单的说明', audit_alerts: '审计告警',
  } as Record<string, string>,
}

export const en: typeof zh = {
  title: 'Audit and retention',
  trail: 'Audit trail', alerts: 'Audit alerts', retention: 'Retention',
  none: 'There is nothing like that.',
  more: 'Show more',
  recorded: 'Reading the trail is recorded itself, for the purpose of auditing.',
  subject: 'Account', event: 'Event', anyEvent: 'Every event', resident: 'Id of a resident', residentHint: 'As it stands in the address of the entry', area: 'Area of who acted', since: 'From', before: 'To', find: 'Search',
  column: { at: 'When', who: 'Who', what: 'What', why: 'Purpose', about: 'About', where: 'Area', details: 'Details' },
  people: '{n} people', rpc: 'Called', digest: 'Digest', roles: 'Roles', note: 'Note',
  states: { AUDIT_ALERT_STATE_OPEN: 'To be looked into', AUDIT_ALERT_STATE_CLOSED: 'Looked into' },
  each: 'Alerts every time', over: '{count} within {window}, more than {threshold}', hours: '{n} h', days: '{n} days', minutes: '{n} min',
  raised: 'raised {time}', reviewBy: 'look into it by {time}', closed: '{by} · {time}', lookUp: 'What they did',
  verb: 'Close', hint: 'Say what was looked into and whether it was right. Nobody looks into what they did themselves.', finding: 'What was found',
  rules: 'What happens when', runs: 'What was done', noRuns: 'Nothing was done yet.', daily: 'Looked at every day, in batches; legal duties to keep come first.',
  head: { rule: 'What', purpose: 'Purpose', days: 'Kept', action: 'Then', basis: 'Basis', last: 'Last run', day: 'Day', looked: 'Looked at', done: 'Done', time: 'Took' },
  after: '{n} days after it ended', running: 'running', seconds: '{n} s', never: 'not yet',
  action: { anonymise: 'made anonymous', clear: 'contents cleared', remove: 'removed', trim: 'oldest removed', forget: 'only the value that counts stays, with its source' },
  rule: {
    residents: 'Residents who left', verification_orders: 'Contents of verification orders', verification_orders_cancelled: 'Cancelled verification orders', field_ledgers: 'What sources said of fields, and evidence', data_requests: 'Data-subject requests', audit_entries: 'Audit trail', care_entries: 'Care register', visit_plans: 'Visit plans', welfare_watches: 'Welfare watches',
    life_events: 'Contents of life events', life_events_cancelled: 'Cancelled life events', life_events_open: 'Life events nobody worked on', elder_orders: 'Notes of elder orders', audit_alerts: 'Audit alerts',
  },
}

export const reasonsZh = { OWN_ALERT: '不能核查自己的操作。' }
export const reasonsEn: typeof reasonsZh = { OWN_ALERT: 'Nobody looks into what they did themselves.' }
