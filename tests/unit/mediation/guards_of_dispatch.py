"""Every guard of dispatch and of who comes, goes and leads, as rows."""

from __future__ import annotations

from mediation import policies
from mediation.domain import (
    TaskPlan,
    TaskRole,
)

from .builders import (
    DISPATCHER,
    department,
    dispatched,
    done,
    reported,
)
from .case_steps import (
    CENTRE,
    added,
    answered,
    exempted,
    joint,
    led,
    sent,
    task_verb,
    two,
)
from .guarding import Guard

SENDING = (
    Guard("nobody leads", "LEAD_COUNT", "Exactly one task leads.", lambda: sent(joint("FIRE")), "tasks"),
    Guard(
        "a department twice",
        "DUPLICATE_DEPARTMENT",
        "A department has one task in a case.",
        lambda: dispatched("PMC", "PMC"),
        "tasks[1].department",
    ),
    Guard(
        "a key twice",
        "DUPLICATE_KEY",
        "Two tasks have the same key.",
        lambda: sent(TaskPlan(department="PMC", role=TaskRole.LEAD, key="a"), joint("FIRE", key="a")),
        "tasks[1].key",
    ),
    Guard(
        "after a task that is none",
        "UNKNOWN_KEY",
        "No task of this dispatch has the key 'UMD'.",
        lambda: dispatched("PMC", "FIRE", after={"FIRE": ["UMD"]}),
        "tasks[1].after[0]",
    ),
    Guard(
        "tasks in a circle",
        "CYCLE",
        "These tasks wait for each other: FIRE, UMD.",
        lambda: dispatched("PMC", "FIRE", "UMD", after={"FIRE": ["UMD"], "UMD": ["FIRE"]}),
        "tasks[1].after",
    ),
    Guard("nobody is added", "TASKS_REQUIRED", "Nobody is added.", added, "tasks"),
    Guard(
        "too many departments",
        "TOO_MANY_TASKS",
        "A case has at most 100 tasks.",
        lambda: added(*(joint("FIRE", key=str(number)) for number in range(99))),
        "tasks",
    ),
    Guard(
        "a second lead is added",
        "LEAD_COUNT",
        "The case has its lead: change it instead.",
        lambda: added(TaskPlan(department="UMD", role=TaskRole.LEAD)),
        "tasks[0].role",
    ),
    Guard(
        "a department that is there already",
        "DUPLICATE_DEPARTMENT",
        "FIRE has a task in this case, or was let off.",
        lambda: added(joint("FIRE")),
        "tasks[0].department",
    ),
    Guard(
        "added after a task that is none",
        "UNKNOWN_KEY",
        "Neither this request nor the case has a task 'ENV'.",
        lambda: added(joint("UMD", "ENV")),
        "tasks[0].after[0]",
    ),
    Guard(
        "newcomers in a circle",
        "CYCLE",
        "These tasks wait for each other: UMD, ENV.",
        lambda: added(joint("UMD", "ENV"), joint("ENV", "UMD")),
        "tasks[0].after",
    ),
    Guard(
        "a lead where there is none",
        "WRONG_STATE",
        "Nobody leads this case.",
        lambda: policies.check_lead_change(reported(), "FIRE"),
    ),
    Guard(
        "a second change of lead",
        "LEAD_CHANGED_BEFORE",
        "The lead of a case changes once.",
        lambda: led(led(two(), "FIRE"), "PMC"),
    ),
    Guard(
        "a lead that is done",
        "LEAD_DONE",
        "The lead has done its task: return it instead.",
        lambda: led(done(two(), "PMC"), "FIRE"),
    ),
    Guard(
        "a lead that leads",
        "LEADS_ALREADY",
        "This department leads already.",
        lambda: led(two(), "PMC"),
        "department",
    ),
    Guard(
        "a lead that still waits",
        "CANNOT_LEAD",
        "A department whose task is waiting cannot lead.",
        lambda: led(dispatched("PMC", "FIRE", "UMD", after={"UMD": ["FIRE"]}), "UMD"),
    ),
    Guard(
        "the lead is taken out",
        "LEAD_NEEDED",
        "A lead task can only be given to another department.",
        lambda: task_verb("remove_task", two(), "PMC", DISPATCHER, reason="x"),
    ),
    Guard("the lead is let off", "LEAD_NEEDED", "Somebody has to lead.", lambda: exempted(two(), "PMC")),
    Guard(
        "an exemption by a joint department",
        "OTHER_DEPARTMENT",
        "This task belongs to another department.",
        lambda: exempted(two(), by=department("FIRE", lead=True)),
    ),
    Guard(
        "a second exemption",
        "EXEMPTION_USED",
        "An exemption is proposed once.",
        lambda: exempted(exempted(two())),
    ),
    Guard(
        "an exemption from what is done",
        "WRONG_STATE",
        "A task that is done needs no exemption.",
        lambda: exempted(done(two(), "FIRE")),
    ),
    Guard(
        "an exemption nobody proposed",
        "NO_EXEMPTION",
        "No exemption waits for a ruling.",
        lambda: answered("rule_exemption", two()),
    ),
    Guard(
        "an exemption the grid centre alone may grant",
        "ROLE_REQUIRED",
        "rule_exemption is for DISPATCHER.",
        lambda: answered("rule_exemption", exempted(two()), CENTRE),
    ),
)

GUARDS = SENDING
