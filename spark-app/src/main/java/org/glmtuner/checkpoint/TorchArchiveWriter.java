package org.glmtuner.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Writes a state dict as {@code torch.save} does in PyTorch 2.7: the same records in the same
 * order, laid out alike. Below 4 GiB and without empty tensors the file is the same byte for byte,
 * but for the serialization id, a hash that nothing checks.
 *
 * <p>A dict entry may be tied to a tensor declared before it: both then share one storage, as
 * {@code lm_head.weight} does with the embedding, and only the first is appended.
 */
public final class TorchArchiveWriter extends TensorWriter {
  private final StoredZip zip = new StoredZip(this::put);
  private final String root;
  private int storage;

  /** As the longer constructor, without tied tensors. */
  public TorchArchiveWriter(WritableByteChannel channel, String root, List<TensorSpec> tensors)
      throws IOException {
    this(channel, root, tensors, Map.of());
  }

  /**
   * Writes the pickle at once; the writer owns the channel.
   *
   * @param root the folder of all records inside the archive; PyTorch takes the file's name without
   *     its extension
   * @param tied further names of tensors, each mapped to the name of a tensor; they come last in
   *     the dict
   */
  public TorchArchiveWriter(
      WritableByteChannel channel, String root, List<TensorSpec> tensors, Map<String, String> tied)
      throws IOException {
    super(channel, tensors);
    this.root = root;
    record("data.pkl", StateDictPickle.of(entries(tensors, tied)));
    record(".format_version", "1");
    record(".storage_alignment", Integer.toString(StoredZip.ALIGNMENT));
    record("byteorder", "little");
    startTensors();
  }

  private static List<StateDictPickle.Entry> entries(
      List<TensorSpec> tensors, Map<String, String> tied) {
    List<StateDictPickle.Entry> entries = new ArrayList<>();
    for (int i = 0; i < tensors.size(); i++) {
      entries.add(new StateDictPickle.Entry(tensors.get(i), i));
    }
    tied.forEach(
        (name, target) -> {
          if (entries.stream().anyMatch(entry -> entry.tensor().name().equals(name))) {
            throw new IllegalArgumentException(
                "Invalid tied tensor: " + name + " (each name once)");
          }
          StateDictPickle.Entry other =
              entries.stream()
                  .filter(entry -> entry.tensor().name().equals(target))
                  .findFirst()
                  .orElseThrow(
                      () ->
                          new IllegalArgumentException(
                              "Invalid tied tensor: "
                                  + name
                                  + " ("
                                  + target
                                  + " is not among the tensors)"));
          TensorSpec spec = other.tensor();
          entries.add(
              new StateDictPickle.Entry(
                  new TensorSpec(name, spec.dtype(), spec.shape()), other.storage()));
        });
    return entries;
  }

  @Override
  void beginTensor(TensorSpec tensor) throws IOException {
    zip.begin(root + "/data/" + storage, tensor.bytes());
  }

  @Override
  void tensorBytes(ByteBuffer bytes) {
    zip.update(bytes);
  }

  @Override
  void endTensor(TensorSpec tensor) throws IOException {
    zip.end();
    storage++;
  }

  @Override
  void endFile() throws IOException {
    record("version", "3\n");
    record(".data/serialization_id", zip.serializationId());
    zip.finish();
  }

  private void record(String name, String content) throws IOException {
    record(name, content.getBytes(StandardCharsets.US_ASCII));
  }

  private void record(String name, byte[] content) throws IOException {
    zip.begin(root + "/" + name, content.length);
    zip.update(ByteBuffer.wrap(content));
    put(ByteBuffer.wrap(content));
    zip.end();
  }
}
