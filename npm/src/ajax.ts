/** `params` as a query, nested objects as `a[b]=c`. */
export const serialize = (params: any, parent?: string): string => {
  const parts: string[] = []
  for (const key of Object.keys(params)) {
    const name = parent ? `${parent}[${key}]` : key
    const value = params[key]
    parts.push(
      typeof value === "object"
        ? serialize(value ?? {}, name)
        : `${encodeURIComponent(name)}=${encodeURIComponent(value)}`,
    )
  }
  return parts.join("&")
}

/** `url` with `params` in its query. */
export const appendParams = (url: string, params: any): string =>
  Object.keys(params).length === 0 ? url : `${url}${url.includes("?") ? "&" : "?"}${serialize(params)}`
