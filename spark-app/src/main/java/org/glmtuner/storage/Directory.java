package org.glmtuner.storage;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import org.apache.hadoop.fs.ChecksumException;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileContext;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Options;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.UnsupportedFileSystemException;
import org.glmtuner.failure.TunerException;

/**
 * A directory on any Hadoop file system. Names are those of its direct children. Safe for use by
 * several threads, as Hadoop's clients are; I/O errors come as {@link IOException} whose message
 * names the path.
 */
public final class Directory implements Folder {
  private static final String NO_GLOB = "Illegal file pattern"; // Hadoop has no type for it

  private final HadoopSettings settings;
  private final FileSystem fileSystem;
  private final Path path;

  private Directory(HadoopSettings settings, FileSystem fileSystem, Path path) {
    this.settings = settings;
    this.fileSystem = fileSystem;
    this.path = path;
  }

  /**
   * The directory at {@code uri}; it need not exist. A URI without a scheme is on the default file
   * system.
   *
   * @throws TunerException (exit code 2) where the URI or its scheme is unknown
   */
  public static Directory of(String uri, HadoopSettings settings) throws IOException {
    try {
      Path path = new Path(uri);
      FileSystem fileSystem = path.getFileSystem(settings.toConfiguration());
      return new Directory(settings, fileSystem, fileSystem.makeQualified(path));
    } catch (IllegalArgumentException | UnsupportedFileSystemException e) {
      throw TunerException.invalid("Invalid path: " + uri + " (" + e.getMessage() + ")");
    }
  }

  /** As {@link #of}, with the Hadoop configuration of this JVM, for commands without Spark. */
  public static Directory ofConfigured(String uri) throws IOException {
    return of(uri, HadoopSettings.of(HadoopSettings.ofThisProcess()));
  }

  /**
   * The directory that an argument of the command line names; it need not exist. A path without a
   * scheme is local, whatever Hadoop's default file system is, and local files get no checksum
   * files beside them.
   *
   * @throws TunerException (exit code 2) where the URI or its scheme is unknown
   */
  public static Directory ofArgument(String argument) throws IOException {
    HadoopSettings settings = HadoopSettings.of(HadoopSettings.ofThisProcess());
    boolean local = TextFile.isLocal(argument);
    if (!local && !argument.startsWith("file:")) {
      return of(argument, settings);
    }
    try {
      Path path =
          local
              ? new Path(
                  "file",
                  null,
                  java.nio.file.Path.of(argument).toAbsolutePath().normalize().toString())
              : new Path(argument);
      FileSystem raw = FileSystem.getLocal(settings.toConfiguration()).getRawFileSystem();
      return new Directory(settings, raw, raw.makeQualified(path));
    } catch (IllegalArgumentException e) {
      throw TunerException.invalid("Invalid path: " + argument + " (" + e.getMessage() + ")");
    }
  }

  /** A file and where it is. */
  public record Located(Directory directory, String name) {}

  /**
   * The files that a path names: a file, all files of a directory but those that start with a dot
   * or an underscore, or a glob of either. Sorted; empty where there are none.
   *
   * @param key of the configuration that has the path, for messages
   * @throws TunerException (exit code 2) where the path is no glob, or a directory holds others,
   *     whose files nobody may expect to be left out
   */
  public static List<Located> find(String uri, String key, HadoopSettings settings)
      throws IOException {
    Directory place = of(uri, settings);
    List<Located> files = new ArrayList<>();
    for (FileStatus match : place.matches(uri, key)) {
      if (!isShown(match.getPath().getName()) && isShown(place.name())) {
        continue; // found by a glob
      }
      if (match.isFile()) {
        files.add(new Located(place.at(match.getPath().getParent()), match.getPath().getName()));
      } else {
        Directory directory = place.at(match.getPath());
        directory.refuseDirectories(key);
        directory.names().stream()
            .filter(Directory::isShown)
            .forEach(name -> files.add(new Located(directory, name)));
      }
    }
    return files;
  }

  private FileStatus[] matches(String uri, String key) throws IOException {
    try {
      FileStatus[] matches = fileSystem.globStatus(path);
      return matches == null ? new FileStatus[0] : matches;
    } catch (IOException e) {
      if (String.valueOf(e.getMessage()).startsWith(NO_GLOB)) {
        throw TunerException.invalid(
            "Invalid " + key + ": " + uri + " (" + e.getMessage().lines().findFirst().get() + ")");
      }
      throw e;
    }
  }

  private void refuseDirectories(String key) throws IOException {
    Optional<String> inner =
        list(FileStatus::isDirectory).stream().filter(Directory::isShown).findFirst();
    if (inner.isPresent()) {
      throw TunerException.invalid(
          String.format(
              "Invalid %1$s: %2$s (it holds the directory %3$s; %2$s/* names files of such too)",
              key, location(), inner.get()));
    }
  }

  private static boolean isShown(String name) {
    return !name.startsWith(".") && !name.startsWith("_");
  }

  private Directory at(Path other) {
    return new Directory(settings, fileSystem, other);
  }

  @Override
  public String location() {
    return path.toString();
  }

  /** Its last name. */
  public String name() {
    return path.getName();
  }

  /** The directory that holds it; nothing for a file system's root. */
  public Optional<Directory> parent() {
    return Optional.ofNullable(path.getParent()).map(this::at);
  }

  /** Where it is on this machine, if it is. */
  public Optional<java.nio.file.Path> local() {
    return path.toUri().getScheme().equals("file")
        ? Optional.of(java.nio.file.Path.of(path.toUri().getPath()))
        : Optional.empty();
  }

  /** The same directory, read in the fastest way there is. */
  public Folder reader() {
    return local().<Folder>map(LocalFolder::new).orElse(this);
  }

  /** A directory below this one. */
  public Directory child(String name) {
    return new Directory(settings, fileSystem, file(name));
  }

  public boolean exists() throws IOException {
    return fileSystem.exists(path);
  }

  public void create() throws IOException {
    fileSystem.mkdirs(path);
  }

  /** Names of files and directories in it, sorted; empty where it does not exist. */
  public List<String> children() throws IOException {
    return list(status -> true);
  }

  @Override
  public List<String> names() throws IOException {
    return list(FileStatus::isFile);
  }

  private List<String> list(Predicate<FileStatus> wanted) throws IOException {
    try {
      return Arrays.stream(fileSystem.listStatus(path))
          .filter(wanted)
          .map(status -> status.getPath().getName())
          .sorted()
          .toList();
    } catch (FileNotFoundException e) {
      return List.of();
    }
  }

  @Override
  public boolean contains(String name) throws IOException {
    try {
      return fileSystem.getFileStatus(file(name)).isFile();
    } catch (FileNotFoundException e) {
      return false;
    }
  }

  /** Whether there is a file or a directory of that name. */
  public boolean hasChild(String name) throws IOException {
    return fileSystem.exists(file(name));
  }

  @Override
  public long size(String name) throws IOException {
    return fileSystem.getFileStatus(file(name)).getLen();
  }

  @Override
  public SeekableByteChannel open(String name) throws IOException {
    Path file = file(name);
    return new HadoopChannel(fileSystem.open(file), fileSystem.getFileStatus(file).getLen());
  }

  /**
   * The whole of a small UTF-8 file; nothing where there is none.
   *
   * @throws TunerException (exit code 6) where the file system finds it damaged
   */
  public Optional<String> readText(String name) throws IOException {
    try (InputStream in = fileSystem.open(file(name))) {
      return Optional.of(new String(in.readAllBytes(), StandardCharsets.UTF_8));
    } catch (FileNotFoundException e) {
      return Optional.empty();
    } catch (ChecksumException e) {
      throw TunerException.damaged("Cannot read " + locate(name) + ": " + e.getMessage(), e);
    }
  }

  /**
   * Puts a small file in place as a whole: readers see the old text or the new one, never a part.
   */
  public void writeText(String name, String text) throws IOException {
    Path target = file(name);
    Path temporary = new Path(path, "." + name + ".tmp");
    try (FSDataOutputStream out = fileSystem.create(temporary, true)) {
      out.write(text.getBytes(StandardCharsets.UTF_8));
      out.hsync();
    }
    fileContext().rename(temporary, target, Options.Rename.OVERWRITE);
  }

  /** A new file that is written from its start; an older one of that name goes. */
  public OutputStream write(String name) throws IOException {
    return fileSystem.create(file(name), true);
  }

  /** A file that grows line by line, each visible to readers at once. */
  public LineLog openLog(String name) throws IOException {
    return new LineLog(fileSystem.create(file(name), true));
  }

  /** Removes a file or a directory with all it holds; nothing happens where there is none. */
  public void delete(String name) throws IOException {
    fileSystem.delete(file(name), true);
  }

  /**
   * Renames a child in one step.
   *
   * @throws IOException where {@code to} exists
   */
  public void rename(String from, String to) throws IOException {
    fileContext().rename(file(from), file(to));
  }

  private Path file(String name) {
    Folder.checkName(name);
    return new Path(path, name);
  }

  private FileContext fileContext() throws IOException {
    return FileContext.getFileContext(path.toUri(), settings.toConfiguration());
  }
}
