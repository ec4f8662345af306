/** Roles that are told anything; mediation.policies.roster has the same, and a test there holds the two equal. */
export const DUTY_ROLES: readonly string[] = ['DEPT_HANDLER', 'DEPT_LEAD', 'DISPATCHER', 'STREET_CENTER', 'GRID_SUPERVISOR', 'GRID_WORKER', 'GRID_MEDIATOR', 'SUPERVISION', 'GRID_LEADER', 'GRID_SOCIAL', 'COMM_CLERK', 'DATA_STEWARD', 'AUDITOR', 'DPO']
export const DEPARTMENT_ROLES: readonly string[] = ['DEPT_HANDLER', 'DEPT_LEAD']
