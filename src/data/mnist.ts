// MNIST: 70,000 gray images of 28 x 28, handwritten digits.

import type { ImageDataset } from "./dataset.ts";
import { type ImageSetOptions, type ImageSetSpec, loadImageSet } from "./image-set.ts";

/** What is known of MNIST. Internal. */
export const mnistSpec: ImageSetSpec = {
	id: "mnist",
	title: "MNIST",
	url: "https://ossci-datasets.s3.amazonaws.com/mnist/",
	algorithm: "md5",
	hashes: {
		"train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
		"train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
		"t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
		"t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
	},
	sizes: { train: 60_000, test: 10_000 },
	classes: ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"],
	mean: [0.1306604762738429],
	std: [0.3081078038564622],
};

/**
 * MNIST (LeCun, Cortes, Burges), 60,000 training and 10,000 test images `[N, 1, 28, 28]`: from `dir` if given; else from
 * the cache folder, `mnist` in the system's folder of data sets, or the network, whichever has it. `source` of the result
 * says which it was.
 *
 * @throws EvenkeelError if it is nowhere to be had, or a file is damaged or not MNIST's by its MD5
 */
export async function mnist(options: ImageSetOptions): Promise<ImageDataset> {
	return loadImageSet(mnistSpec, options);
}
