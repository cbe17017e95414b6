package org.glmtuner.storage;

import java.io.Closeable;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.apache.hadoop.fs.FSDataOutputStream;

/**
 * A text file that grows by whole lines; each is handed to the file system's servers before {@link
 * #append} returns.
 */
public final class LineLog implements Closeable {
  private final FSDataOutputStream out;

  LineLog(FSDataOutputStream out) {
    this.out = out;
  }

  public void append(String line) throws IOException {
    out.write((line + "\n").getBytes(StandardCharsets.UTF_8));
    out.hflush();
  }

  @Override
  public void close() throws IOException {
    out.close();
  }
}
