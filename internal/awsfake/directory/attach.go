package directory

import "slices"

// AttachedTo returns the users and roles that a policy is attached to. The caller must hold the
// lock.
func (d *Directory) AttachedTo(m *ManagedPolicy) []*Identity {
	var found []*Identity
	for _, r := range d.Roles {
		if slices.Contains(r.Attached, m) {
			found = append(found, &r.Identity)
		}
	}
	for _, u := range d.Users {
		if slices.Contains(u.Attached, m) {
			found = append(found, &u.Identity)
		}
	}
	return found
}

// Enforce sets the default version of a policy. The change applies wherever the policy is attached
// or used as a boundary. The caller must hold the lock.
func (d *Directory) Enforce(m *ManagedPolicy, number int) {
	m.Current = number
	for _, i := range d.AttachedTo(m) {
		i.Gather()
	}
	for _, r := range d.Roles {
		if r.BoundaryARN == m.ARN {
			r.Boundary = m.Document()
		}
	}
	for _, u := range d.Users {
		if u.BoundaryARN == m.ARN {
			u.Boundary = m.Document()
		}
	}
}
