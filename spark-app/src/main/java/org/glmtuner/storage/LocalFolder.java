package org.glmtuner.storage;

import java.io.IOException;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** A directory of this machine. */
public final class LocalFolder implements Folder {
  private final Path directory;

  public LocalFolder(Path directory) {
    this.directory = directory.toAbsolutePath().normalize();
  }

  @Override
  public String location() {
    return directory.toString();
  }

  @Override
  public List<String> names() throws IOException {
    try (Stream<Path> entries = Files.list(directory)) {
      return entries
          .filter(Files::isRegularFile)
          .map(path -> path.getFileName().toString())
          .sorted()
          .toList();
    }
  }

  @Override
  public boolean contains(String name) {
    return Files.isRegularFile(resolve(name));
  }

  @Override
  public long size(String name) throws IOException {
    return Files.size(resolve(name));
  }

  @Override
  public SeekableByteChannel open(String name) throws IOException {
    return Files.newByteChannel(resolve(name));
  }

  private Path resolve(String name) {
    Folder.checkName(name);
    return directory.resolve(name);
  }
}
