/* SPDX-License-Identifier: BSD-3-Clause */
/* FileChannel.map and force, from several threads, with a collection between. */
import java.io.RandomAccessFile;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;

class Force {
	static void fill(MappedByteBuffer map, int from, int len) {
		byte[] bytes = new byte[len];
		java.util.Arrays.fill(bytes, (byte) 7);
		map.position(from);
		map.put(bytes);
	}

	public static void main(String[] args) throws Exception {
		String dir = System.getenv("T_FILES");
		try (RandomAccessFile file = new RandomAccessFile(dir + "/data", "rw")) {
			file.setLength(1 << 20);
			FileChannel channel = file.getChannel();
			MappedByteBuffer map = channel.map(FileChannel.MapMode.READ_WRITE, 100, 500000);
			map.load();
			fill(map, 0, 500000);
			map.force();
			Thread.sleep(30);
			for (int i = 0; i < 20; i++) {
				fill(map, i * 4096, 10000);
				map.force();
			}
			Thread[] threads = new Thread[3];
			for (int t = 0; t < 3; t++) {
				MappedByteBuffer own = channel.map(FileChannel.MapMode.READ_WRITE, 524288 + t * 65536, 65536);
				threads[t] = new Thread(() -> {
					for (int i = 0; i < 20; i++) {
						fill(own, 0, 65536);
						own.force();
					}
				});
			}
			for (Thread t : threads) t.start();
			for (Thread t : threads) t.join();
			map = null;
			System.gc();
			long sum = 0;
			MappedByteBuffer all = channel.map(FileChannel.MapMode.READ_ONLY, 0, 1 << 20);
			while (all.hasRemaining()) sum += all.get();
			System.out.println(sum + " " + file.length());
		}
	}
}
