/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tree.c: a B-tree that copies what it changes. An insertion writes the nodes
 * on its path anew behind the last one, syncs them, then writes one of two
 * heads, in turn, that name the root, and syncs that. Nodes and heads have
 * checksums; what a torn head said is in the other one.
 */
#include "own.h"

#include <stdlib.h>
#include <string.h>

enum { KEYS = 14, NODE = 256, HEADS = 2 * OWN_PAGE, GROW = 8 * OWN_PAGE };

struct node {
	uint64_t sum;		/* of everything behind it */
	uint32_t leaf, count;
	uint64_t keys[KEYS];
	uint64_t values[KEYS + 1];	/* of a leaf; else offsets of nodes */
	uint64_t own_offset;
};

struct head {
	uint64_t sum, op, root, end;
};

static struct own_file file;
static uint64_t end, dirty;

/* No two operations have the same key. */
static uint64_t key_of(uint64_t seed, uint64_t op)
{
	return own_random(seed, op) << 20 | op;
}

static uint64_t value_of(uint64_t seed, uint64_t op)
{
	return own_random(~seed, op);
}

static const struct node *node_at(uint64_t offset)
{
	return (const struct node *)(file.map + offset);
}

static uint64_t put_node(struct node *node)
{
	if (end + NODE > file.len)
		own_grow(&file, file.len + GROW);
	node->own_offset = end;
	node->sum = own_sum(&node->leaf, sizeof(*node) - 8);
	memcpy(file.map + end, node, sizeof(*node));
	end += NODE;
	return node->own_offset;
}

static unsigned int slot_of(const struct node *node, uint64_t key)
{
	unsigned int i = 0;

	while (i < node->count && node->keys[i] < key)
		i++;
	return i;
}

/* One key and its value, or one key and the node right of it. */
static void insert_at(struct node *node, unsigned int i, uint64_t key,
		      uint64_t value)
{
	unsigned int right = node->leaf ? i : i + 1, n = node->count;

	memmove(node->keys + i + 1, node->keys + i, (n - i) * 8);
	memmove(node->values + right + 1, node->values + right,
		(n + !node->leaf - right) * 8);
	node->keys[i] = key;
	node->values[right] = value;
	node->count++;
}

/* Moves the upper half into `right`; the key between the two. */
static uint64_t split(struct node *node, struct node *right)
{
	unsigned int half = node->count / 2, from = node->leaf ? half : half + 1;

	memset(right, 0, sizeof(*right));
	right->leaf = node->leaf;
	right->count = node->count - from;
	memcpy(right->keys, node->keys + from, right->count * 8);
	memcpy(right->values, node->values + from,
	       (right->count + !node->leaf) * 8);
	node->count = half;
	/* In leaves, what goes left of a separator is not above it. */
	return node->keys[node->leaf ? half - 1 : half];
}

struct grown {
	uint64_t left, right, key;	/* right: 0 without a split */
};

static struct grown insert(uint64_t offset, uint64_t key, uint64_t value)
{
	struct node node = *node_at(offset), right;
	unsigned int i = slot_of(&node, key);
	struct grown below, result = { 0 };

	if (node.leaf) {
		insert_at(&node, i, key, value);
	} else {
		below = insert(node.values[i], key, value);
		node.values[i] = below.left;
		if (below.right)
			insert_at(&node, i, below.key, below.right);
	}
	if (node.count == KEYS) {
		result.key = split(&node, &right);
		result.right = put_node(&right);
	}
	result.left = put_node(&node);
	return result;
}

static uint64_t insert_root(uint64_t root, uint64_t key, uint64_t value)
{
	struct grown grown = insert(root, key, value);
	struct node node = { .count = 1 };

	if (!grown.right)
		return grown.left;
	node.keys[0] = grown.key;
	node.values[0] = grown.left;
	node.values[1] = grown.right;
	return put_node(&node);
}

static void put_head(uint64_t op, uint64_t root)
{
	struct head head = { 0, op, root, end };
	size_t offset = op % 2 * OWN_PAGE;

	head.sum = own_sum(&head.op, sizeof(head) - 8);
	memcpy(file.map + offset, &head, sizeof(head));
	own_sync(&file, offset, sizeof(head));
}

static void run(const char *dir, uint64_t seed, uint64_t ops)
{
	struct node empty = { .leaf = 1 };
	uint64_t root;

	own_create(&file, dir, "tree", HEADS + GROW);
	end = HEADS;
	root = put_node(&empty);
	for (uint64_t op = 1; op <= ops; op++) {
		dirty = end;
		mark_intent(op, 0);
		root = insert_root(root, key_of(seed, op), value_of(seed, op));
		if (op == 1)
			dirty = HEADS;
		own_sync(&file, dirty, end - dirty);
		put_head(op, root);
		mark_ack(op, 0);
	}
}

static const char *data;
static size_t len;

static bool valid_head(const struct head *head)
{
	return head->op && head->sum == own_sum(&head->op, sizeof(*head) - 8);
}

/* Counts into `found` the operations whose keys are there. */
static const char *walk(uint64_t seed, uint64_t offset, uint64_t below,
			uint64_t *found, int depth)
{
	struct node node;

	if (depth > 20 || offset + NODE > len)
		return own_say("a node at %llu of %zu",
			       (unsigned long long)offset, len);
	memcpy(&node, data + offset, sizeof(node));
	if (node.own_offset != offset || node.count > KEYS ||
	    node.sum != own_sum(&node.leaf, sizeof(node) - 8))
		return own_say("the node at %llu is damaged",
			       (unsigned long long)offset);
	for (unsigned int i = 0; !node.leaf && i <= node.count; i++) {
		const char *wrong = walk(seed, node.values[i], below, found,
					 depth + 1);
		if (wrong)
			return wrong;
	}
	for (unsigned int i = 0; node.leaf && i < node.count; i++) {
		uint64_t op = node.keys[i] & 0xfffff;

		if (op > below || node.keys[i] != key_of(seed, op) ||
		    node.values[i] != value_of(seed, op))
			return "a key that was never inserted";
		++*found;
	}
	return NULL;
}

static const struct head *newest(struct head heads[2])
{
	const struct head *best = NULL;

	for (int i = 0; i < 2 && len >= HEADS; i++) {
		memcpy(&heads[i], data + i * OWN_PAGE, sizeof(heads[i]));
		if (valid_head(&heads[i]) && (!best || heads[i].op > best->op))
			best = &heads[i];
	}
	return best;
}

static const char *check(const char *dir, uint64_t seed,
			 const struct own_bounds *bounds)
{
	struct head heads[2];
	const struct head *head;
	const char *wrong;
	uint64_t found = 0;

	data = own_read(dir, "tree", &len);
	head = data ? newest(heads) : NULL;
	if (!head)
		return bounds->acked ? "no head is whole" : NULL;
	if (head->op < bounds->acked || head->op > bounds->begun)
		return own_say("the newest head is of %llu, not of %llu to %llu",
			       (unsigned long long)head->op,
			       (unsigned long long)bounds->acked,
			       (unsigned long long)bounds->begun);
	wrong = walk(seed, head->root, head->op, &found, 0);
	if (!wrong && found != head->op)
		wrong = own_say("%llu keys of %llu",
				(unsigned long long)found,
				(unsigned long long)head->op);
	return wrong;
}

int main(int argc, char **argv)
{
	static const struct own_program program = { run, check };

	_Static_assert(sizeof(struct node) == NODE,
		       "the last line of a page is in use");
	return own_main(&program, argc, argv);
}
