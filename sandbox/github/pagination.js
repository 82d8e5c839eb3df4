/** Page and page size of a request; 30 unless asked, at most 100. */
export function pageOf(query, defaultPerPage = 30) {
  const number = (name, otherwise) => {
    const value = Number(query.get(name) ?? otherwise);
    return Number.isInteger(value) && value >= 1 ? value : otherwise;
  };
  return { page: number('page', 1), perPage: Math.min(100, number('per_page', defaultPerPage)) };
}
/** The Link header for a page of a list of `total` items; empty when it all fits. */
export function linkHeader(request, page, total, apiUrl) {
  const last = Math.max(1, Math.ceil(total / page.perPage));
  const link = (to, rel) => {
    const query = new URLSearchParams(request.query);
    query.set('page', String(to));
    return `<${apiUrl}${request.path}?${query}>; rel="${rel}"`;
  };
  const links = [
    ...(page.page > 1 ? [link(Math.min(page.page - 1, last), 'prev')] : []),
    ...(page.page < last ? [link(page.page + 1, 'next'), link(last, 'last')] : []),
    ...(page.page > 1 ? [link(1, 'first')] : []),
  ];
  return links.length === 0 ? {} : { link: links.join(', ') };
}
/** One page of a list that is all in memory, with its Link header. */
export function paginate(request, items, apiUrl) {
  const page = pageOf(request.query);
  const start = (page.page - 1) * page.perPage;
  return {
    items: items.slice(start, start + page.perPage),
    headers: linkHeader(request, page, items.length, apiUrl),
  };
}
