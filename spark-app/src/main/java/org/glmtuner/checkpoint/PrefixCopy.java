package org.glmtuner.checkpoint;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.glmtuner.failure.TunerException;
import org.glmtuner.model.ChatGlmConfig;
import org.glmtuner.storage.NewDirectory;

/**
 * Writes a trained prefix once more, in the official form, as safetensors, or both: the same names,
 * types and bits.
 */
public final class PrefixCopy {

  /** What a copy holds. */
  public enum Form {
    /** {@code pytorch_model.bin}, as the official trainer writes it. */
    OFFICIAL,
    /** {@code prefix.safetensors}. */
    SAFETENSORS
  }

  private final TensorFile source;
  private final PrefixShape shape;
  private final List<TensorSpec> tensors;

  /**
   * Prepares a copy of the prefix that {@code source} holds; the file stays the caller's.
   *
   * @throws TunerException (exit code 6) where it holds none
   */
  public PrefixCopy(TensorFile source) {
    this.source = source;
    this.shape = PrefixShape.of(source);
    this.tensors = PrefixShape.tensors(source);
  }

  /** Bytes of the tensors. */
  public long bytes() {
    return tensors.stream().mapToLong(TensorSpec::bytes).sum();
  }

  /**
   * Writes the files.
   *
   * @param config of the base or of the checkpoint, which gets the prefix's length; without it the
   *     copy has no {@code config.json}
   * @throws TunerException (exit code 6) where {@code config} is of another base or prefix, or a
   *     value is not finite
   */
  public void write(
      NewDirectory target, Set<Form> forms, Optional<ChatGlmConfig> config, TensorPass pass)
      throws IOException {
    config.ifPresent(c -> shape.check(source.location(), c));
    for (Form form : forms) {
      String name = form == Form.OFFICIAL ? PrefixFiles.OFFICIAL : PrefixFiles.PREFIX;
      try (TensorWriter writer = writer(target, form, name)) {
        for (TensorSpec tensor : tensors) {
          pass.read(source, tensor.name(), bytes -> writer.append(tensor.name(), bytes));
        }
        writer.finish();
      }
    }
    if (config.isPresent()) {
      target.write(ChatGlmConfig.FILE, config.get().withPrefix(shape.prefix()).toJson());
    }
  }

  private TensorWriter writer(NewDirectory target, Form form, String name) throws IOException {
    if (form == Form.OFFICIAL) {
      return TensorFormat.TORCH.writer(target.create(name), name, tensors, Map.of());
    }
    Map<String, String> metadata = new LinkedHashMap<>(source.metadata());
    metadata.put(PrefixFiles.LENGTH, Integer.toString(shape.length()));
    metadata.put(PrefixFiles.PROJECTION, Boolean.toString(shape.projection()));
    return new SafetensorsWriter(target.create(name), tensors, metadata);
  }
}
