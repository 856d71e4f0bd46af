//go:build unix

package telemetry

import (
	"context"
	"syscall"
	"time"

	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/semconv/v1.37.0/processconv"
)

// measureProcess has process.cpu.time tell what the process took of the processors.
func measureProcess(meter metric.Meter) error {
	var cpu processconv.CPUTime
	user := metric.WithAttributes(cpu.AttrCPUMode(processconv.CPUModeUser))
	system := metric.WithAttributes(cpu.AttrCPUMode(processconv.CPUModeSystem))
	_, err := processconv.NewCPUTime(meter, metric.WithFloat64Callback(
		func(_ context.Context, o metric.Float64Observer) error {
			var usage syscall.Rusage
			if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
				return err
			}
			o.Observe(time.Duration(usage.Utime.Nano()).Seconds(), user)
			o.Observe(time.Duration(usage.Stime.Nano()).Seconds(), system)
			return nil
		}))
	return err
}
