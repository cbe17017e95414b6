package org.glmtuner.checkpoint;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.zip.ZipEntry;
import net.razorvine.pickle.PickleException;
import org.apache.commons.compress.archivers.zip.ZipArchiveEntry;
import org.apache.commons.compress.archivers.zip.ZipFile;
import org.glmtuner.checkpoint.TensorFile.Extent;
import org.glmtuner.failure.TunerException;
import org.glmtuner.storage.Folder;

/**
 * Finds the tensors in a zip archive of {@code torch.save}: the pickle says which storage each one
 * is a view of, the zip directory where the storage lies. Nothing in the pickle is executed before
 * {@link PickleScan} has passed the whole of it.
 */
final class TorchArchiveReader {
  private static final String PICKLE = "/data.pkl";

  /** Far above any state dict: ChatGLM-6B's largest has 10 kB. */
  private static final int MAX_PICKLE_BYTES = 64 << 20;

  private final String location;
  private final SeekableByteChannel channel;
  private final long fileBytes;
  private final ZipFile zip;

  private TorchArchiveReader(
      String location, SeekableByteChannel channel, long fileBytes, ZipFile zip) {
    this.location = location;
    this.channel = channel;
    this.fileBytes = fileBytes;
    this.zip = zip;
  }

  /** Reads the directory and the pickle; the returned file owns the channel. */
  static TensorFile read(String location, SeekableByteChannel channel) throws IOException {
    long fileBytes = channel.size();
    try (ZipFile zip = open(location, channel, fileBytes)) {
      Map<String, Extent> extents =
          new TorchArchiveReader(location, channel, fileBytes, zip).extents();
      return new TensorFile(location, channel, Map.of(), extents);
    }
  }

  private static ZipFile open(String location, SeekableByteChannel channel, long fileBytes) {
    try {
      return ZipFile.builder().setSeekableByteChannel(new BorrowedChannel(channel)).get();
    } catch (IOException | IllegalArgumentException e) {
      throw TunerException.damaged(
          "Cannot read "
              + location
              + ": the zip directory at its end is missing or damaged, perhaps the file was cut "
              + "short ("
              + fileBytes
              + " bytes)",
          e);
    }
  }

  private Map<String, Extent> extents() throws IOException {
    String pickleName = null;
    for (ZipArchiveEntry entry : Collections.list(zip.getEntries())) {
      if (entry.getName().endsWith(PICKLE)
          && entry.getName().indexOf('/') == entry.getName().length() - PICKLE.length()) {
        pickleName = entry.getName();
      }
    }
    if (pickleName == null) {
      throw damaged("it is a zip file without data.pkl, not a checkpoint of PyTorch");
    }
    String root = pickleName.substring(0, pickleName.length() - PICKLE.length());
    checkByteOrder(root);
    Map<String, Extent> extents = new LinkedHashMap<>();
    for (Map.Entry<?, ?> item :
        unpickle(content(record(pickleName), MAX_PICKLE_BYTES)).entrySet()) {
      if (!(item.getKey() instanceof String name)
          || !(item.getValue() instanceof TorchTensor tensor)) {
        throw damaged("its entry " + item.getKey() + " is not a tensor");
      }
      extents.put(name, extent(root, name, tensor));
    }
    return extents;
  }

  private void checkByteOrder(String root) throws IOException {
    String name = root + "/byteorder";
    if (zip.getEntry(name) == null) {
      return; // PyTorch before 2.1 does not write it
    }
    String order = new String(content(record(name), 64), StandardCharsets.US_ASCII);
    if (!order.equals("little")) {
      throw damaged("its byte order is " + order + " (little is needed)");
    }
  }

  private Map<?, ?> unpickle(byte[] pickle) throws IOException {
    try {
      PickleScan.check(pickle);
      Object content = TensorUnpickler.load(pickle);
      if (content instanceof TensorUnpickler.Dict dict) {
        return dict;
      }
    } catch (PickleScan.RefusedException | PickleException e) {
      throw TunerException.damaged("Cannot read " + location + ": " + e.getMessage(), e);
    } catch (RuntimeException e) { // the library's answers to a malformed pickle
      throw TunerException.damaged("Cannot read " + location + ": its pickle is damaged", e);
    }
    throw damaged("its pickle is not a dict of tensors");
  }

  private Extent extent(String root, String name, TorchTensor tensor) throws IOException {
    TensorSpec spec;
    try {
      spec = new TensorSpec(name, tensor.storage().dtype(), tensor.shape());
    } catch (IllegalArgumentException e) {
      throw TunerException.damaged("Cannot read " + location + ": " + e.getMessage(), e);
    }
    if (!tensor.isContiguous()) {
      throw damaged(
          "tensor "
              + name
              + " has the strides "
              + tensor.strides()
              + " for the shape "
              + tensor.shape()
              + " (only row-major tensors are read)");
    }
    String recordName = root + "/data/" + tensor.storage().key();
    if (zip.getEntry(recordName) == null) {
      throw damaged("tensor " + name + " lies in " + recordName + ", which is missing");
    }
    ZipArchiveEntry record = record(recordName);
    if (tensor.offset() > record.getSize()) {
      throw damaged(
          "tensor "
              + name
              + " starts at element "
              + tensor.offset()
              + " of "
              + recordName
              + ", which has "
              + record.getSize()
              + " bytes");
    }
    long first = tensor.offset() * spec.dtype().bytes();
    if (record.getSize() - first < spec.bytes()) {
      throw damaged(
          "tensor "
              + name
              + " needs "
              + spec.bytes()
              + " bytes from byte "
              + first
              + " of "
              + recordName
              + ", which has "
              + record.getSize());
    }
    boolean whole = first == 0 && spec.bytes() == record.getSize();
    return new Extent(
        spec,
        record.getDataOffset() + first,
        whole ? Optional.of(record.getCrc()) : Optional.empty());
  }

  /** The record, known to lie uncompressed inside the file. */
  private ZipArchiveEntry record(String name) throws IOException {
    Iterator<ZipArchiveEntry> found = zip.getEntries(name).iterator();
    ZipArchiveEntry record = found.next();
    if (found.hasNext()) {
      throw damaged("its record " + name + " is there twice");
    }
    if (record.getMethod() != ZipEntry.STORED || record.getSize() != record.getCompressedSize()) {
      throw damaged("its record " + name + " is compressed, which torch.save never does");
    }
    if (record.getDataOffset() < 0 || record.getSize() > fileBytes - record.getDataOffset()) {
      throw damaged("its record " + name + " lies outside the file");
    }
    return record;
  }

  private byte[] content(ZipArchiveEntry record, int limit) throws IOException {
    if (record.getSize() > limit) {
      throw damaged(
          "its record "
              + record.getName()
              + " has "
              + record.getSize()
              + " bytes (at most "
              + limit
              + ")");
    }
    ByteBuffer content = ByteBuffer.allocate((int) record.getSize());
    channel.position(record.getDataOffset());
    try {
      Folder.readFully(channel, content);
    } catch (EOFException e) {
      throw TunerException.damaged("Cannot read " + location + ": it was cut short", e);
    }
    return content.array();
  }

  private TunerException damaged(String reason) {
    return TunerException.damaged("Cannot read " + location + ": " + reason);
  }
}
