package org.glmtuner.executor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class SharedMemoryFilesTest {
  private static final Path DIRECTORY = Path.of("/dev/shm");

  private final Path file =
      DIRECTORY.resolve("mpich_shm_test_" + ProcessHandle.current().pid() + "_" + hashCode());

  @AfterEach
  void remove() throws IOException {
    Files.deleteIfExists(file);
  }

  private static SharedMemoryFiles ofADeadProcess() throws Exception {
    Process process = new ProcessBuilder("true").start();
    SharedMemoryFiles files = new SharedMemoryFiles(process.pid());
    process.waitFor();
    return files;
  }

  @Test
  void aFileThatNobodyHasGoesWithTheRankThatMayHaveMadeIt() throws Exception {
    SharedMemoryFiles files = ofADeadProcess();
    Files.write(file, new byte[10]);
    Files.setLastModifiedTime(file, FileTime.from(Instant.now().plusSeconds(1)));
    files.unlink();
    assertThat(file).doesNotExist();
  }

  @Test
  void aFileThatIsOlderOrInUseStays() throws Exception {
    Files.write(file, new byte[10]);
    Files.setLastModifiedTime(file, FileTime.from(Instant.now().minusSeconds(60)));
    ofADeadProcess().unlink();
    assertThat(file).exists();
    SharedMemoryFiles files = ofADeadProcess();
    Files.setLastModifiedTime(file, FileTime.from(Instant.now().plusSeconds(1)));
    try (FileChannel open = FileChannel.open(file, StandardOpenOption.READ)) {
      files.unlink();
      assertThat(file).exists();
      assertThat(open.isOpen()).isTrue();
    }
  }

  @Test
  void whatAProcessHadMappedGoesWithIt() throws Exception {
    Files.write(file, new byte[4096]);
    Files.setLastModifiedTime(file, FileTime.from(Instant.now().minusSeconds(60)));
    Process process =
        new ProcessBuilder(
                "python3",
                "-c",
                "import mmap,time,sys; f=open(sys.argv[1],'r+b'); m=mmap.mmap(f.fileno(),0); print('mapped',flush=True); time.sleep(60)",
                file.toString())
            .start();
    try {
      assertThat(process.inputReader().readLine()).isEqualTo("mapped");
      SharedMemoryFiles files = new SharedMemoryFiles(process.pid());
      files.note();
      process.destroyForcibly().onExit().join();
      await().until(() -> !process.isAlive());
      files.unlink();
      assertThat(file).doesNotExist();
    } finally {
      process.destroyForcibly();
    }
  }
}
