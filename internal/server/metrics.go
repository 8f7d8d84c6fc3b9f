package server

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"parley/internal/chat"
)

// Metrics are the numbers of /metrics. They are made before the store and the hub, which
// report to Committed and Flushed.
type Metrics struct {
	registry *prometheus.Registry
	errors   *prometheus.CounterVec
	batch    prometheus.Histogram
	commit   prometheus.Histogram
	fanout   prometheus.Histogram
}

// NewMetrics returns metrics in a registry of their own, with those of the Go
// runtime and the process.
func NewMetrics() *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		errors: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "parley_errors_total", Help: "Errors that clients were told, by code.",
		}, []string{"code"}),
		batch: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "parley_commit_messages", Help: "Messages stored by one commit.",
			Buckets: prometheus.ExponentialBuckets(1, 4, 8), // 1 … 16,384
		}),
		commit: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "parley_commit_seconds", Help: "How long a commit took, the disk's sync included.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 2, 14), // 0.5 ms … 4 s
		}),
		fanout: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "parley_fanout_seconds", Help: "How long it took to offer a room's new events to all its readers.",
			Buckets: prometheus.ExponentialBuckets(0.00005, 2.5, 12), // 50 µs … 1.2 s
		}),
	}
	for _, code := range chat.Codes { // a rate needs a zero to start from
		m.errors.WithLabelValues(string(code))
	}
	m.registry.MustRegister(m.errors, m.batch, m.commit, m.fanout,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Committed reports a commit of so many messages.
func (m *Metrics) Committed(messages int, took time.Duration) {
	m.batch.Observe(float64(messages))
	m.commit.Observe(took.Seconds())
}

// Flushed reports that a room's events have been offered to all its readers.
func (m *Metrics) Flushed(took time.Duration) { m.fanout.Observe(took.Seconds()) }

// Searches adds how far the search's index is behind the log, which lag returns: so
// many events, the oldest of them so old.
func (m *Metrics) Searches(lag func() (events int, age time.Duration)) {
	m.registry.MustRegister(
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "parley_search_lag_events", Help: "Events in the log that the search cannot find yet.",
		}, func() float64 { events, _ := lag(); return float64(events) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "parley_search_lag_seconds",
			Help: "How old the oldest event is that the search cannot find yet; 0 if there is none.",
		}, func() float64 { _, age := lag(); return age.Seconds() }))
}

// Cluster adds what this server, as one of several, knows of the others.
func (m *Metrics) Cluster(peers func() int, isCutOff func() bool, counts func() (sent, received, missed uint64)) {
	m.gauge("parley_cluster_peers", "Other nodes that this one hears.", peers)
	m.gauge("parley_cluster_cut_off", "1 if this node does not hear nodes that it should hear.",
		func() int { return oneIf(isCutOff()) })
	m.total("parley_cluster_sent_total", "Messages sent to other nodes since the start.",
		func() uint64 { sent, _, _ := counts(); return sent })
	m.total("parley_cluster_received_total", "Messages received from other nodes since the start.",
		func() uint64 { _, received, _ := counts(); return received })
	m.total("parley_cluster_missed_total", "Times that the store was read because a message may have been lost.",
		func() uint64 { _, _, missed := counts(); return missed })
}

func (m *Metrics) gauge(name, help string, value func() int) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help},
		func() float64 { return float64(value()) }))
}

func (m *Metrics) total(name, help string, value func() uint64) {
	m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help},
		func() float64 { return float64(value()) }))
}

func oneIf(is bool) int {
	if is {
		return 1
	}
	return 0
}

// observe adds the numbers that other parts count. They are read when somebody asks for /metrics.
func (m *Metrics) observe(s *Server) {
	m.gauge("parley_connections", "WebSockets and event streams that are open.", s.addresses.count)
	m.gauge("parley_members", "People in rooms, each counted once per room.",
		func() int { return s.hub.Stats().Members })
	m.gauge("parley_rooms", "Rooms in memory.", func() int { return s.hub.Stats().Rooms })
	m.gauge("parley_draining", "1 if the server drains: it serves, and asks balancers for no new client.",
		func() int { return oneIf(s.draining.Load()) })
	m.gauge("parley_lagging_readers", "Readers that cannot take what there is for them.",
		func() int { return s.hub.Stats().NotLive })
	m.total("parley_messages_total", "Messages accepted since the start.",
		func() uint64 { return s.hub.Stats().Posted })
	if lost := s.cfg.LinesLost; lost != nil {
		m.total("parley_log_lines_lost_total", "Lines of the log that could not be written.", lost)
	}
	m.total("parley_deliveries_total", "Events given to readers since the start.",
		func() uint64 { return s.hub.Stats().Deliveries })
}

func (m *Metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// ServeMetrics answers /metrics, and nothing else, on a socket of its own until
// ctx ends.
func (s *Server) ServeMetrics(ctx context.Context, ln net.Listener) error {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", s.metrics.handler())
	server := s.httpServer(mux)
	done := make(chan error, 1)
	go func() { done <- ended(server.Serve(ln)) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return errors.Join(server.Close(), <-done) // whoever asks will ask again
	}
}

// counted increments the metric of errors that clients were told.
func (s *Server) counted(code chat.Code) { s.metrics.errors.WithLabelValues(string(code)).Inc() }
