/** What people read about life events. Both languages stand here, side by side; `i18n` takes them in. */
export const zh = {
  title: '人口事件',
  intro: '出生、去世、迁入、年满岁数等，由部门、网格和日历告知，各带一项要上门办的事，先到期的在前。',
  masked: '事件种类、要办的事和详情已隐去，说明目的后显示，并留下记录。按种类筛选也须说明目的。',
  none: '没有符合条件的事件。',
  more: '显示更多',
  resident: '居民登记',
  hidden: '人口事件',
  taskHidden: '事件种类和要办的事已隐去。',
  filter: { state: '状态', rule: '事件种类', anyRule: '全部种类', area: '区域' },
  dueAt: '{day} 前办结',
  doneAt: '{time} 办结',
  late: '逾期办结',
  head: { source: '告知', occurredOn: '发生', detail: '详情', contactName: '姓名', address: '地址', uscc: '信用代码', assignee: '经办', outcome: '结果', result: '情况', evidence: '佐证', reason: '原因' },
  source: { GRID: '网格', SYSTEM: '日历推算' } as Record<string, string>,
  state: { LIFE_EVENT_STATE_UNSPECIFIED: '', LIFE_EVENT_STATE_OPEN: '待办', LIFE_EVENT_STATE_COMPLETED: '已办', LIFE_EVENT_STATE_CANCELLED: '已取消', LIFE_EVENT_STATE_WITHDRAWN: '已撤回同意' },
  outcome: { LIFE_EVENT_OUTCOME_UNSPECIFIED: '', LIFE_EVENT_OUTCOME_SERVED: '属实，已服务', LIFE_EVENT_OUTCOME_NOT_SO: '不属实', LIFE_EVENT_OUTCOME_NOT_FOUND: '查无此人', LIFE_EVENT_OUTCOME_DECLINED: '本人婉拒' },
  consent: { CONSENT_UNSPECIFIED: '', CONSENT_GIVEN: '本人同意', CONSENT_WRITTEN: '书面同意', CONSENT_STATUTORY: '法定', CONSENT_INFORMED: '已告知本人' } as Record<string, string>,
  verb: { ReportLifeEvent: '登记事件', CompleteLifeEvent: '登记办理结果', CancelLifeEvent: '取消事件', WithdrawLifeEvent: '撤回同意' },
  hint: {
    ReportLifeEvent: '只登记事件所需的最少信息；别人已告知的同一事件不会重复。',
    CompleteLifeEvent: '填写上门的结果和情况。本人婉拒服务也是结果。',
    CancelLifeEvent: '误报的事件由此取消，原因留在记录中；确未发生但已上门核实的，请登记办理结果。',
    WithdrawLifeEvent: '本人撤回同意：不再上门，已登记的详情、姓名、地址和情况随即删除。',
  },
  field: {
    rule: '事件种类', outside: '不在登记簿中', resident: '居民', residentHint: '新生儿出生填母亲', contactName: '姓名', address: '地址', area: '网格或社区', house: '房屋', uscc: '统一社会信用代码',
    occurredOn: '发生日期', detail: '详情', detailHint: '如新生儿性别、救助类别、承租人数；没有可不填', ordinal: '多胞胎中第几个', consent: '依据', outcome: '结果', result: '办理情况', resultHint: '不写证件号码和电话', evidence: '佐证', reason: '取消原因',
  },
  fault: { uscc: '应为 18 位统一社会信用代码。' },
}

export const en: typeof zh = {
  title: 'Life events',
  intro: 'Births, deaths, moves, birthdays: told by departments, the grid and the calendar. Each makes work for somebody; what is due first comes first.',
  masked: 'Kinds, tasks and details are masked. They are shown for a stated purpose, and that is recorded; so is looking for one kind.',
  none: 'There is nothing like that.',
  more: 'Show more',
  resident: 'Entry',
  hidden: 'Life event',
  taskHidden: 'Its kind and what is to be done are masked.',
  filter: { state: 'State', rule: 'Kind of event', anyRule: 'Every kind', area: 'Area' },
  dueAt: 'by {day}',
  doneAt: 'done {time}',
  late: 'late',
  head: { source: 'Told by', occurredOn: 'Happened', detail: 'Details', contactName: 'Name', address: 'Address', uscc: 'Credit code', assignee: 'Done by', outcome: 'Outcome', result: 'Result', evidence: 'Proof', reason: 'Reason' },
  source: { GRID: 'Grid', SYSTEM: 'Calendar' },
  state: { LIFE_EVENT_STATE_UNSPECIFIED: '', LIFE_EVENT_STATE_OPEN: 'To do', LIFE_EVENT_STATE_COMPLETED: 'Done', LIFE_EVENT_STATE_CANCELLED: 'Cancelled', LIFE_EVENT_STATE_WITHDRAWN: 'Consent withdrawn' },
  outcome: { LIFE_EVENT_OUTCOME_UNSPECIFIED: '', LIFE_EVENT_OUTCOME_SERVED: 'It is so; service given', LIFE_EVENT_OUTCOME_NOT_SO: 'It is not so', LIFE_EVENT_OUTCOME_NOT_FOUND: 'Nobody found', LIFE_EVENT_OUTCOME_DECLINED: 'Service declined' },
  consent: { CONSENT_UNSPECIFIED: '', CONSENT_GIVEN: 'Agreed', CONSENT_WRITTEN: 'Agreed in writing', CONSENT_STATUTORY: 'The law', CONSENT_INFORMED: 'Was informed' },
  verb: { ReportLifeEvent: 'Report an event', CompleteLifeEvent: 'Say what came of it', CancelLifeEvent: 'Cancel the event', WithdrawLifeEvent: 'Withdraw consent' },
  hint: {
    ReportLifeEvent: 'As little as the event needs. What somebody told before is not made twice.',
    CompleteLifeEvent: 'What came of going there. Declining the service is an outcome, too.',
    CancelLifeEvent: 'For what was told by mistake; the reason is kept. If somebody went and found it is not so, say that as the result.',
    WithdrawLifeEvent: 'The person takes consent back: nobody goes, and details, name, address and result are removed at once.',
  },
  field: {
    rule: 'Kind of event', outside: 'Not in the register', resident: 'Resident', residentHint: 'Of a birth: the mother', contactName: 'Name', address: 'Address', area: 'Grid or community', house: 'House', uscc: 'Unified social credit code',
    occurredOn: 'Day it happened', detail: 'Details', detailHint: 'Sex of a newborn, kind of allowance, number of tenants; if any', ordinal: 'Which of twins', consent: 'Rests on', outcome: 'Outcome', result: 'Result', resultHint: 'No identity or telephone numbers', evidence: 'Proof', reason: 'Reason',
  },
  fault: { uscc: '18 digits and letters.' },
}

/** What each rule asks for, in English: the table of the service has Chinese alone. */
export const TASKS_EN: Readonly<Record<string, string>> = {
  LE01: 'Visit by appointment: household registration, medical insurance, child health care, birth registration', LE02: 'Verify and condole; help to cancel entries, with the funeral grant, with ending the pension',
  LE03: 'Enter the household (fewest fields), leave a contact card and guide, explain the residence permit', LE04: 'Verify and end the residence (its history stays)', LE05: 'Put on the list of voters to be checked (before an election)',
  LE06: 'Tell of the elder card, the old-age allowance, check-ups', LE07: 'Send vacancies and courses, ask what is needed', LE08: 'Update the care register and the visits', LE09: 'Update the house; guide to fire self-checks of let homes',
  LE10: 'First fire safety check, and what has to be known', LE11: 'Ask about access, the two allowances, aids', LE12: 'Tell of the veteran card and services for starting a business',
}

export const reasonsZh = { RULE_UNKNOWN: '没有这种事件。', RULE_IS_STATISTICAL: '这一项只作统计，不建名单。', SUBJECT_MISSING: '请填写事件涉及的人、房屋或单位。', NO_AREA: '此人不在登记簿中，请选择网格或社区。', NO_ELECTION: '没有公布选举日，无法确定期限。', FIELD_NOT_FOR_RULE: '这种事件不需要这一项。', OTHER_ROLE: '这项工作由其他岗位完成。' }
export const reasonsEn: typeof reasonsZh = { RULE_UNKNOWN: 'There is no such event.', RULE_IS_STATISTICAL: 'This is counted; no list of people is made.', SUBJECT_MISSING: 'Say whom, which house or which place it is about.', NO_AREA: 'The person is not in the register: choose a grid or community.', NO_ELECTION: 'No election is announced; this is due for one.', FIELD_NOT_FOR_RULE: 'This event is told without it.', OTHER_ROLE: 'This work is for another post.' }
