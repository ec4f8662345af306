/** Light or dark: follows the system until someone chooses. Naive UI gets the same colours as styles/tokens.css. */
import { darkTheme, type GlobalThemeOverrides } from 'naive-ui'
import { computed, ref, watchEffect } from 'vue'

const KEY = 'binglian.theme'
const system = window.matchMedia('(prefers-color-scheme: dark)')
const systemDark = ref(system.matches)
const chosen = ref(localStorage.getItem(KEY) ?? '')
system.addEventListener('change', (event) => (systemDark.value = event.matches))

export const isDark = computed(() => (chosen.value ? chosen.value === 'dark' : systemDark.value))

export function toggleTheme(): void {
  chosen.value = isDark.value ? 'light' : 'dark'
  localStorage.setItem(KEY, chosen.value)
}

watchEffect(() => (document.documentElement.dataset.theme = isDark.value ? 'dark' : 'light'))

const FONT = "system-ui, -apple-system, 'PingFang SC', 'Microsoft YaHei', 'Noto Sans CJK SC', 'Source Han Sans SC', 'Segoe UI', sans-serif"

const lightColours = {
  primaryColor: '#17607c', primaryColorHover: '#1d7394', primaryColorPressed: '#114a60', primaryColorSuppl: '#1d7394',
  textColorBase: '#1b2a33', textColor1: '#1b2a33', textColor2: '#2b3b45', textColor3: '#5b6b76', placeholderColor: '#66767f',
  borderColor: '#cfd8d7', dividerColor: '#dfe5e4', bodyColor: '#f4f6f5', errorColor: '#b93a2f', warningColor: '#8a5a00', successColor: '#23704a',
}

const darkColours = {
  primaryColor: '#6fb9d2', primaryColorHover: '#8accdf', primaryColorPressed: '#559fb8', primaryColorSuppl: '#8accdf',
  textColorBase: '#e6edee', bodyColor: '#12191d', cardColor: '#1a2429', modalColor: '#1e2a30', popoverColor: '#223037',
  borderColor: '#3d4d54', dividerColor: '#2a373d', inputColor: '#151e22', placeholderColor: '#8798a0', errorColor: '#f0897e',
}

export const naiveTheme = computed(() => (isDark.value ? darkTheme : null))

export const naiveOverrides = computed<GlobalThemeOverrides>(() => ({
  common: {
    ...(isDark.value ? darkColours : lightColours),
    fontFamily: FONT,
    borderRadius: '8px',
    borderRadiusSmall: '6px',
    heightMedium: '36px',
  },
}))
