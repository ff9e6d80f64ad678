package awsfake

import (
	"cmp"
	"strings"
)

// list walks the keys in byte order. Keys that share a prefix up to the delimiter count as one, and
// the walk jumps over them.
func (b *Bucket) list(l *walk) *page {
	b.mu.RLock()
	defer b.mu.RUnlock()
	p := &page{}
	if l.max == 0 {
		return p
	}
	at, more := l.start()
	for more {
		more = false
		for e := range b.index.from(at) {
			if !strings.HasPrefix(e.key, l.prefix) {
				break
			}
			o := e.current()
			if o == nil {
				continue
			}
			if p.count() == l.max {
				p.truncated = true
				break
			}
			if common := l.common(e.key); common != "" {
				p.prefixes, p.last = append(p.prefixes, common), common
				at, more = behind(common)
				break
			}
			p.objects, p.last = append(p.objects, o), o.key
		}
	}
	return p
}

// listVersions walks all versions, by key and then newest first. With a version marker the page
// begins inside the key of the marker.
func (b *Bucket) listVersions(l *walk, versionMarker string) *versionPage {
	b.mu.RLock()
	defer b.mu.RUnlock()
	p := &versionPage{}
	if l.max == 0 {
		return p
	}
	at, more := l.start()
	if versionMarker != "" {
		at = cmp.Or(l.after, at)
	}
	for more {
		more = false
		for e := range b.index.from(at) {
			if !strings.HasPrefix(e.key, l.prefix) {
				break
			}
			if p.count() == l.max {
				p.truncated = true
				break
			}
			if common := l.common(e.key); common != "" {
				p.prefixes, p.nextKey, p.nextVersion = append(p.prefixes, common), common, ""
				at, more = behind(common)
				break
			}
			if !p.add(e, l, versionMarker) {
				break
			}
		}
	}
	return p
}
