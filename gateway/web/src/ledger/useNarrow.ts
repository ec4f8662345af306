/** Whether the page is as narrow as a phone: charts cannot ask a stylesheet. */
import { onScopeDispose, ref, type Ref } from 'vue'

export function useNarrow(): Ref<boolean> {
  const media = window.matchMedia('(max-width: 720px)')
  const narrow = ref(media.matches)
  const follow = (): void => void (narrow.value = media.matches)
  media.addEventListener('change', follow)
  onScopeDispose(() => media.removeEventListener('change', follow))
  return narrow
}
