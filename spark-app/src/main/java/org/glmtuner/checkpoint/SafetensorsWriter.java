package org.glmtuner.checkpoint;

import java.io.IOException;
import java.nio.channels.WritableByteChannel;
import java.util.List;
import java.util.Map;

/** Writes a safetensors file with metadata. */
public final class SafetensorsWriter extends TensorWriter {
  private static final int ALIGNMENT = 8;

  /** Writes the header at once; the writer owns the channel. */
  public SafetensorsWriter(
      WritableByteChannel channel, List<TensorSpec> tensors, Map<String, String> metadata)
      throws IOException {
    super(channel, tensors);
    put(new SafetensorsLayout(tensors, metadata, ALIGNMENT).header());
    startTensors();
  }

  @Override
  void beginTensor(TensorSpec tensor) {}

  @Override
  void endTensor(TensorSpec tensor) {}

  @Override
  void endFile() {}
}
