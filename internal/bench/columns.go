package bench

// The columns of the tables. Peers are compared by a scenario's first column.
var (
	deliveriesPerCPU = Column{Key: "deliveries_per_cpu_second", Title: "deliveries/CPU-s", Unit: count}
	deliveries       = Column{Key: "deliveries_per_second", Title: "deliveries/s", Unit: count}
	messages         = Column{Key: "messages_per_second", Title: "messages/s", Unit: count}
	cpuPerDelivery   = Column{Key: "cpu_per_delivery", Title: "CPU/delivery", Unit: seconds, Less: true}
	generator        = Column{Key: "generator_deliveries_per_cpu_second", Title: "the generator's own", Unit: count}
	rss              = Column{Key: "rss", Title: "RSS", Unit: bytesOf, Less: true}
	p50              = Column{Key: "p50", Title: "median", Unit: seconds, Less: true}
	p99              = Column{Key: "p99", Title: "p99", Unit: seconds, Less: true}
	p999             = Column{Key: "p999", Title: "p99.9", Unit: seconds, Less: true}
)

// load returns the values that every scenario under load reports.
func (s *testbed) load(u usage, sent, delivered int) Values {
	v := Values{
		messages.Key:   float64(sent) / u.wall.Seconds(),
		deliveries.Key: float64(delivered) / u.wall.Seconds(),
	}
	if u.known && u.cpu > 0 && delivered > 0 {
		v[deliveriesPerCPU.Key] = float64(delivered) / u.cpu.Seconds()
		v[cpuPerDelivery.Key] = u.cpu.Seconds() / float64(delivered)
	}
	if u.own > 0 {
		v[generator.Key] = float64(delivered) / u.own.Seconds()
	}
	if m, ok := s.memory(); ok {
		v[rss.Key] = m.rss
	}
	return v
}

// memory returns how much memory the server takes, with all its nodes, if that is known.
func (s *testbed) memory() (all memory, known bool) {
	for _, p := range s.processes() {
		m, err := memoryOf(p.cmd.Process.Pid)
		if err != nil {
			return memory{}, false
		}
		all.rss, all.pss, known = all.rss+m.rss, all.pss+m.pss, true
	}
	return all, known
}

// add adds other's values to v.
func (v Values) add(other Values) Values {
	for key, x := range other {
		v[key] = x
	}
	return v
}
