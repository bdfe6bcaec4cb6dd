/** Label values that have broken a text format or a joined key somewhere. All different. */
export const HOSTILE_VALUES: readonly string[] = [
  '', ' ', 'x', 'x,b:y', 'y,b:z', 'z', 'x"', '"', '\\', '\\\\', '\\"', '\\n', '\n', 'a\nb', 'a\\nb', 'a\r\nb', '\t', '\0', 'a\0b', '\x01\x1f\x7f',
  '\u2028', '\u2029', '\u0085', 'a\ufeffb', '\ufffd', 'é', 'e\u0301', '名前', '🦊', '}', '{', '="', ',', '#', '# EOF', '\n# EOF\n', '"} 1\nagent_cost_usd_total{tenant_id="victim',
  '__overflow__', '__proto__', 'constructor', 'le', 'le="1"', '{le="1"', ',le="1"', 'NaN', '+Inf', '$&', '$1', '%s', '<script>alert(1)</script>',
]
