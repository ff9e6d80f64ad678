package condition

import "syncd/internal/control"

// Paused returns who paused the mapping and when, or nil if it is not paused.
func (c *Condition) Paused() *control.Paused {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.paused
}

// Mode returns whether the mapping is paused, and the ID of the request that last paused or resumed
// it.
func (c *Condition) Mode() control.Mode {
	c.mu.Lock()
	defer c.mu.Unlock()
	return control.Mode{ID: c.mode, IsPaused: c.paused != nil}
}

// Pausing returns who paused the mapping, or nil if it is not paused, and whether a pass is
// running.
func (c *Condition) Pausing() (by *control.Paused, isRunning bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.paused, c.running
}

// SetMode pauses or resumes the mapping. A pass in progress drains when the mapping is paused.
func (c *Condition) SetMode(mode control.Mode, by control.Paused) {
	c.mu.Lock()
	defer c.mu.Unlock()
	was := c.paused != nil
	c.mode, c.paused = mode.ID, nil
	if mode.IsPaused {
		c.paused = &by
	}
	if was == mode.IsPaused {
		return
	}
	c.standing, c.held = false, nil // a paused mapping does not stand by
	value := 0.0
	if mode.IsPaused {
		value = 1
		c.o.Logger.Info("mapping paused", "who", by.Who, "since", by.At)
		if c.halt != nil {
			c.halt(ErrPaused)
		}
	} else {
		c.o.Logger.Info("mapping resumed", "who", by.Who)
	}
	c.o.Metrics.Paused.WithLabelValues(c.o.Mapping).Set(value)
	if !c.running {
		c.since = c.o.Now()
	}
	c.o.Wake()
}
