/** Where the device is, and what a chosen photograph says of itself. */
import type { Attachment, Point } from '@/generated/contract'
import { serverNow } from './now'

/** Position of the device; rejects when there is none, after at most 10 s. Browsers give it on secure connections only. */
export function currentPoint(): Promise<Point> {
  return new Promise((resolve, reject) => {
    if (!('geolocation' in navigator) || !window.isSecureContext) {
      reject(new Error('no position'))
      return
    }
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => resolve({ longitude: coords.longitude, latitude: coords.latitude }),
      reject,
      { enableHighAccuracy: true, timeout: 10_000, maximumAge: 30_000 },
    )
  })
}

/** Whether the browser can take fingerprints here. */
export const canFingerprint = (): boolean => window.isSecureContext && 'subtle' in crypto

/** Reference to a chosen file: its SHA-256 names it, its last change is when it was taken. The bytes stay where they are. */
export async function attachmentOf(file: File, point: Point | undefined): Promise<Attachment> {
  const digest = await crypto.subtle.digest('SHA-256', await file.arrayBuffer())
  const sha256 = Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('')
  // A device whose clock is fast must not send photographs from the future: they would be refused.
  const takenAt = new Date(Math.min(file.lastModified, serverNow())).toISOString()
  return { uri: `urn:sha256:${sha256}`, sha256, takenAt, ...(point ? { point } : {}) }
}

/** "111.29, 30.70" → a point; null when it is none. */
export function pointFromText(text: string): Point | null {
  const [longitude, latitude, ...more] = text.split(/[,，\s]+/).filter(Boolean).map(Number)
  if (longitude === undefined || latitude === undefined || more.length) return null
  return Math.abs(longitude) <= 180 && Math.abs(latitude) <= 90 ? { longitude, latitude } : null
}
