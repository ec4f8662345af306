import { createRouter, createWebHistory, type RouteLocationNormalized, type RouteLocationRaw } from 'vue-router'
import { currentUser, loadSession } from '@/api/session'
import { i18n } from '@/i18n'
import { openTabs } from '@/people/tabs'
import { isClosed } from '@/shell/closed'

export const router = createRouter({
  history: createWebHistory(),
  scrollBehavior: (_to, _from, saved) => saved ?? { top: 0 },
  routes: [
    { path: '/', redirect: '/board' },
    { path: '/login', name: 'login', component: () => import('@/login/LoginPage.vue'), meta: { open: true, title: 'login.title' } },
    { path: '/board', name: 'board', component: () => import('@/board/BoardPage.vue'), meta: { title: 'app.board' } },
    { path: '/inbox', name: 'inbox', component: () => import('@/inbox/InboxPage.vue'), meta: { title: 'app.inbox' } },
    { path: '/cases', name: 'list', component: () => import('@/list/ListPage.vue'), meta: { title: 'app.list' } },
    { path: '/cases/:caseId', name: 'case', component: () => import('@/case/CasePage.vue'), props: true, meta: { title: 'case.overview' } },
    { path: '/disputes', name: 'disputes', component: () => import('@/dispute/DisputesPage.vue'), meta: { title: 'dispute.title' } },
    { path: '/disputes/:disputeId', name: 'dispute', component: () => import('@/dispute/DisputePage.vue'), props: true, meta: { title: 'dispute.title' } },
    { path: '/committees', name: 'committees', component: () => import('@/committee/CommitteesPage.vue'), meta: { title: 'committee.title' } },
    { path: '/committees/:committeeId', name: 'committee', component: () => import('@/committee/CommitteePage.vue'), props: true, meta: { title: 'committee.one' } },
    { path: '/people', name: 'people', component: () => import('@/people/PeoplePage.vue'), meta: { title: 'people.title' } },
    { path: '/people/residents/:residentId', name: 'resident', component: () => import('@/people/ResidentPage.vue'), props: true, meta: { title: 'people.one' } },
    { path: '/people/figures', name: 'figures', component: () => import('@/question/FiguresPage.vue'), meta: { title: 'question.figures' } },
    { path: '/people/questions', name: 'questions', component: () => import('@/question/QuestionsPage.vue'), meta: { title: 'question.title' } },
    { path: '/people/around', name: 'around', component: () => import('@/question/AroundPage.vue'), meta: { title: 'question.around.title' } },
    { path: '/people/voters', name: 'voters', component: () => import('@/question/VotersPage.vue'), meta: { title: 'question.voters.title' } },
    { path: '/people/audit/:tab?', name: 'audit', component: () => import('@/audit/AuditPage.vue'), props: true, meta: { title: 'audit.title' } },
    { path: '/people/collection/:tab?', name: 'collection', component: () => import('@/collection/CollectionPage.vue'), props: true, meta: { title: 'collection.title' } },
    { path: '/people/events', name: 'events', component: () => import('@/event/EventsPage.vue'), meta: { title: 'lifeEvent.title' } },
    { path: '/people/events/:lifeEventId', name: 'event', component: () => import('@/event/EventPage.vue'), props: true, meta: { title: 'lifeEvent.title' } },
    { path: '/people/jobs', name: 'jobs', component: () => import('@/job/JobsPage.vue'), meta: { title: 'job.title' } },
    { path: '/people/jobs/:jobId', name: 'job', component: () => import('@/job/JobPage.vue'), props: true, meta: { title: 'job.one' } },
    { path: '/people/duplicates', name: 'duplicates', component: () => import('@/merging/DuplicatesPage.vue'), meta: { title: 'merging.title' } },
    { path: '/people/rights', name: 'rights', component: () => import('@/rights/RightsPage.vue'), meta: { title: 'rights.title' } },
    { path: '/people/rights/accesses/:residentId', name: 'accesses', component: () => import('@/rights/AccessesPage.vue'), props: true, meta: { title: 'rights.accessesTitle' } },
    { path: '/my-data', name: 'my-data', component: () => import('@/rights/MyDataPage.vue'), meta: { title: 'rights.mine' } },
    { path: '/people/care', name: 'care', component: () => import('@/care/CarePage.vue'), meta: { title: 'care.title' } },
    { path: '/people/care/figures', name: 'careFigures', component: () => import('@/care/CareFiguresPage.vue'), meta: { title: 'care.figures.title' } },
    { path: '/people/welfare', name: 'welfare', component: () => import('@/care/WelfarePage.vue'), meta: { title: 'care.welfare' } },
    { path: '/people/elder/:tab?', name: 'elder', component: () => import('@/elder/ElderPage.vue'), props: true, meta: { title: 'elder.title' } },
    { path: '/drafts', name: 'drafts', component: () => import('@/draft/DraftsPage.vue'), meta: { title: 'app.drafts' } },
    { path: '/traces/:traceId', name: 'trace', component: () => import('@/trace/TracePage.vue'), props: true, meta: { title: 'trace.title' } },
    { path: '/ledger', name: 'ledger', component: () => import('@/ledger/LedgerPage.vue'), meta: { title: 'ledger.page' } },
    { path: '/report', name: 'report', component: () => import('@/report/ReportPage.vue'), meta: { title: 'app.report' } },
    { path: '/notices/:tab?', name: 'notices', component: () => import('@/notices/NoticesPage.vue'), props: true, meta: { title: 'notice.title' } },
    { path: '/:path(.*)*', name: 'missing', component: () => import('@/shell/MissingPage.vue'), meta: { open: true, title: 'app.notFound' } },
    // Reached by name only: it stands in at the address of a page the caller may not read.
    { path: '/:path(.*)*', name: 'closed', component: () => import('@/shell/ClosedPage.vue'), meta: { title: 'app.closed' } },
  ],
})

/** Everything but the login needs a session; after the login people land where they wanted to go. */
router.beforeEach(async (to: RouteLocationNormalized) => {
  if (to.meta.open) return true
  await loadSession().catch(() => undefined)
  if (!currentUser.value) return { name: 'login', query: to.fullPath === '/board' ? {} : { next: to.fullPath } }
  return isClosed(String(to.name)) ? insteadOf(to) : true
})

/** The register leads to the first of its pages the caller may open; any other page says that it is closed, at its own address. */
function insteadOf(to: RouteLocationNormalized): RouteLocationRaw {
  const [first] = openTabs()
  if (to.name === 'people' && first) return { path: first.to, replace: true }
  return { name: 'closed', params: { path: to.path.slice(1).split('/') }, query: to.query, replace: true }
}

/** Names the browser tab after the page, in the page's language. */
export function titleOf(route: RouteLocationNormalized): string {
  const { t } = i18n.global
  return route.meta.title ? `${t(String(route.meta.title))} · ${t('app.name')}` : t('app.name')
}
