/** A report being written: what is missing, and what is sent of it. Pure. */
import type { Attachment, Case, Point, Severity } from '@/generated/contract'
import type { Place } from './PlacePicker.vue'

export interface Report {
  category: string
  description: string
  place: Place
  severity: Severity
  source: string
  photos: Attachment[]
  reporterName: string
  reporterPhone: string
  /** How many photographs the draft holds already: further ones are added. */
  kept: number
}

export const fresh = (): Report => ({
  category: '', description: '', place: { point: {}, areaCode: '', address: '' }, severity: 'SEVERITY_S4', source: '01', photos: [], reporterName: '', reporterPhone: '', kept: 0,
})

/** The report a draft holds so far. */
export function reportOf(draft: Case): Report {
  return {
    ...fresh(),
    category: draft.category ?? '',
    description: draft.description ?? '',
    place: { point: draft.point ?? {}, areaCode: draft.areaCode ?? '', address: draft.address ?? '' },
    severity: draft.severity && draft.severity !== 'SEVERITY_UNSPECIFIED' ? draft.severity : 'SEVERITY_S4',
    source: draft.source || '01',
    kept: draft.photos?.length ?? 0,
  }
}

export function pointOf({ place }: Report): Point | undefined {
  const { longitude, latitude } = place.point
  return longitude === undefined || latitude === undefined ? undefined : { longitude, latitude }
}

/** What still has to be said, by field; '' where nothing is missing. */
export function missingOf(report: Report, t: (key: string) => string): Record<string, string> {
  return {
    category: report.category ? '' : t('report.needCategory'),
    description: report.description.trim() ? '' : t('report.needDescription'),
    place: pointOf(report) || report.place.areaCode ? '' : t('report.needPlace'),
  }
}

const given = <T extends object>(values: T): Partial<T> => Object.fromEntries(Object.entries(values).filter(([, value]) => value && (!Array.isArray(value) || value.length))) as Partial<T>

/** What is sent: empty fields are left out. */
export function bodyOf(report: Report) {
  const { place, photos, category, description, severity, source, reporterName, reporterPhone } = report
  return given({
    category, description: description.trim(), severity, source, point: pointOf(report), photos, areaCode: place.areaCode, address: place.address.trim(),
    reporterName: reporterName.trim(), reporterPhone: reporterPhone.trim(),
  })
}

/** What a draft keeps: it lies in no area yet. */
export function draftOf(report: Report) {
  const { areaCode: _, ...kept } = bodyOf(report)
  return kept
}

/** What completes a draft: how it came in and who asked stand in it already. */
export function completionOf(report: Report) {
  const { source: _, reporterName: __, reporterPhone: ___, ...added } = bodyOf(report)
  return added
}
