package org.glmtuner.rank;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.glmtuner.config.EngineConfig.Isa;
import org.glmtuner.model.FrozenTransformer;
import org.glmtuner.nativeddp.CalibrationRates;
import org.glmtuner.nativeddp.NativeCalibration;
import org.glmtuner.nativeddp.NativeTransformer;
import org.glmtuner.nativeddp.ProcessControl;
import org.glmtuner.wire.Frame;

/** What this process's CPUs and memory do for the engine, without a model and alone. */
final class RateMeasurement {
  private final Frame.Calibrate order;
  private final TaskLink task;

  RateMeasurement(Frame.Calibrate order, TaskLink task) {
    this.order = order;
    this.task = task;
  }

  void run() throws IOException, InterruptedException {
    FrozenTransformer.requireInstructions(order.isa());
    List<String> refusals = refusals();
    try (NativeCalibration calibration =
        NativeCalibration.open(order.threads(), order.isa().label())) {
      task.watch(calibration::progress);
      task.send(new Frame.Ready("", "", calibration.kernels(), ProcessControl.allowedCpus(), ""));
      task.started();
      for (Frame frame = task.next(); !(frame instanceof Frame.End); frame = task.next()) {
        if (frame instanceof Frame.MeasureRates measure) {
          CalibrationRates rates = calibration.measure(measure.seconds());
          task.send(
              new Frame.Calibrated(
                  rates.operationsPerSecond(), rates.bytesPerSecond(), List.copyOf(refusals)));
        } else {
          throw new IllegalStateException("Invalid request: " + frame);
        }
      }
    }
  }

  /** Asked before threads are made, which get room for the tiles of AMX only after it. */
  private static List<String> refusals() {
    List<String> refusals = new ArrayList<>();
    for (Isa isa : Isa.values()) {
      Optional<String> reason = NativeTransformer.refusal(isa.label());
      reason.ifPresent(text -> refusals.add(isa.label() + ": " + text));
    }
    return refusals;
  }
}
