package org.glmtuner.checkpoint;

import java.io.IOException;
import java.nio.channels.WritableByteChannel;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The two kinds of files that PyTorch's world keeps tensors in, with the usual names. */
public enum TensorFormat {
  TORCH("pytorch_model", ".bin") {
    @Override
    public TensorWriter writer(
        WritableByteChannel channel,
        String fileName,
        List<TensorSpec> tensors,
        Map<String, String> tied)
        throws IOException {
      String root = fileName.substring(0, fileName.lastIndexOf('.'));
      return new TorchArchiveWriter(channel, root, tensors, tied);
    }
  },
  SAFETENSORS("model", ".safetensors") {
    @Override
    public TensorWriter writer(
        WritableByteChannel channel,
        String fileName,
        List<TensorSpec> tensors,
        Map<String, String> tied)
        throws IOException {
      return new SafetensorsWriter(channel, tensors, Map.of("format", "pt"));
    }
  };

  private final String stem;
  private final String extension;

  TensorFormat(String stem, String extension) {
    this.stem = stem;
    this.extension = extension;
  }

  /** The name of a model's one file. */
  public String fileName() {
    return stem + extension;
  }

  /** The name of one of several files. */
  public String shardName(int number, int count) {
    return String.format(Locale.ROOT, "%s-%05d-of-%05d%s", stem, number, count, extension);
  }

  /** The name of the index over several files. */
  public String indexName() {
    return fileName() + ".index.json";
  }

  /**
   * Starts a file; the writer owns the channel.
   *
   * @param tied further names, each of a tensor of this file; safetensors has no place for them and
   *     leaves them out
   */
  public abstract TensorWriter writer(
      WritableByteChannel channel,
      String fileName,
      List<TensorSpec> tensors,
      Map<String, String> tied)
      throws IOException;
}
