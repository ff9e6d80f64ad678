package awsfake

import "slices"

// attachedTo are the users and roles that a policy is attached to. The caller holds the lock.
func (d *directory) attachedTo(m *managed) []*identity {
	var found []*identity
	for _, r := range d.roles {
		if slices.Contains(r.attached, m) {
			found = append(found, &r.identity)
		}
	}
	for _, u := range d.users {
		if slices.Contains(u.attached, m) {
			found = append(found, &u.identity)
		}
	}
	return found
}

// enforce puts a version in force, wherever the policy is attached or a boundary. The caller holds the lock.
func (d *directory) enforce(m *managed, number int) {
	m.current = number
	for _, i := range d.attachedTo(m) {
		i.gather()
	}
	for _, r := range d.roles {
		if r.boundaryARN == m.arn {
			r.boundary = m.document()
		}
	}
	for _, u := range d.users {
		if u.boundaryARN == m.arn {
			u.boundary = m.document()
		}
	}
}
