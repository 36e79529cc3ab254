// Fashion-MNIST: 70,000 gray images of 28 x 28, ten kinds of clothing.

import type { ImageDataset } from "./dataset.ts";
import { type ImageSetOptions, type ImageSetSpec, loadImageSet } from "./image-set.ts";

/** What is known of Fashion-MNIST. Internal. */
export const fashionMnistSpec: ImageSetSpec = {
	id: "fashion-mnist",
	title: "Fashion-MNIST",
	url: "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
	algorithm: "sha256",
	hashes: {
		"train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
		"train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
		"t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
		"t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
	},
	sizes: { train: 60_000, test: 10_000 },
	classes: ["t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot"],
	mean: [0.2860405969887955],
	std: [0.3530242445149226],
	// As printed by scripts/make-sample.mjs.
	sample: {
		hashes: {
			"train-images-idx3-ubyte": "cf313073c7eb485392848071d5c433571d7166043e971e3345b095cc30518084",
			"train-labels-idx1-ubyte": "097b93fbcf9bd5bc648b1a457ddc55c9e4ab49afb33f9ecae8ce068399a75e3a",
			"t10k-images-idx3-ubyte": "7cee33c3c6414b1b86c25e665a6c4f41584269de3b7cc9768b1d351922845eef",
			"t10k-labels-idx1-ubyte": "3128d790775889812b73c4f13923559c8b9e281d112c6ea7862acf60a206a909",
		},
		sizes: { train: 6000, test: 1000 },
	},
};

/**
 * Fashion-MNIST (Xiao, Rasul, Vollgraf 2017), 60,000 training and 10,000 test images `[N, 1, 28, 28]`: from `dir` if
 * given; else from the cache folder, the folder of Debian's package dataset-fashion-mnist, or the network, whichever has it; else
 * 6,000 and 1,000 of them that come with this package. `source` of the result says which it was and why.
 *
 *     const train = await data.fashionMnist({ split: "train" });
 *     console.log(train.source);
 *
 * @throws EvenkeelError if a file is damaged, or not Fashion-MNIST's by its SHA-256
 * @see https://github.com/zalandoresearch/fashion-mnist
 */
export async function fashionMnist(options: ImageSetOptions): Promise<ImageDataset> {
	return loadImageSet(fashionMnistSpec, options);
}
