/** Language of the page: zh-CN first, English beside it; the choice is kept in the browser. */
import { computed } from 'vue'
import { createI18n } from 'vue-i18n'
import en from './en'
import zh from './zh'

export type Language = 'zh' | 'en'
export type Messages = typeof zh

const KEY = 'binglian.language'
const stored = localStorage.getItem(KEY)

export const i18n = createI18n<[Messages], Language, false>({
  legacy: false,
  locale: stored === 'en' ? 'en' : 'zh',
  fallbackLocale: 'zh',
  messages: { zh, en },
})

export const language = computed<Language>(() => i18n.global.locale.value)

export function setLanguage(chosen: Language): void {
  i18n.global.locale.value = chosen
  localStorage.setItem(KEY, chosen)
  document.documentElement.lang = chosen === 'zh' ? 'zh-CN' : 'en'
}

document.documentElement.lang = language.value === 'zh' ? 'zh-CN' : 'en'
