package natsbus

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net"
	"strconv"

	"github.com/nats-io/nats-server/v2/server"
)

// Serve runs a NATS server for Dial at an address, host and port, until ctx ends. It is for trials: it lets in all who
// can connect. It calls listening when it does.
func Serve(ctx context.Context, address string, listening func()) error {
	host, portText, err := net.SplitHostPort(address)
	if err != nil {
		return err
	}
	port, err := strconv.Atoi(portText)
	if err != nil {
		return err
	}
	s, err := server.NewServer(&server.Options{Host: host, Port: cmp.Or(port, server.RANDOM_PORT), NoSigs: true})
	if err != nil {
		return err
	}
	log := &natsLog{logger: slog.New(slog.DiscardHandler), fatal: make(chan string, 1)}
	s.SetLoggerV2(log, false, false, false)
	s.Start()
	defer s.WaitForShutdown()
	defer s.Shutdown()
	if s.Addr() == nil {
		return errors.New(<-log.fatal)
	}
	listening()
	<-ctx.Done()
	return nil
}
