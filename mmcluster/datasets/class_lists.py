"""Class folders of the ImageNet subsets on which clustering methods are compared.

Deep Adaptive Clustering (Chang et al., ICCV 2017) introduced ImageNet-10 and ImageNet-Dogs. The ids are those of the
lists in the release of Contrastive Clustering (AAAI 2021), which later papers use. They agree with the ids of
ImageNet-10 in a second, unrelated public code base, and with the fifteen breeds that the MTEB benchmark names for
ImageNet-Dogs.

ImageNet-50, -100 and -200 are the random subsets of SCAN (Van Gansbeke et al., ECCV 2020), by the lists in its
release; each holds the smaller ones. Names are WordNet's first word for the class.
"""
from __future__ import annotations

from typing import Mapping, Sequence, Union

# Those of ImageNet-50, what ImageNet-100 has beside them, and what ImageNet-200 has beside both.
_SCAN = ("""
n01601694 water ouzel; n01669191 box turtle; n01755581 diamondback; n01770393 scorpion; n01855672 goose;
n02018207 American coot; n02058221 albatross; n02096177 cairn; n02097130 giant schnauzer;
n02099267 flat-coated retriever; n02100877 Irish setter; n02104365 schipperke; n02106030 collie; n02114855 coyote;
n02125311 cougar; n02133161 American black bear; n02484975 guenon; n02489166 proboscis monkey; n02747177 ashcan;
n02906734 broom; n03124170 cowboy hat; n03272010 electric guitar; n03337140 file; n03483316 hand blower;
n03498962 hatchet; n03710721 maillot; n03717622 manhole cover; n03733281 maze; n03759954 microphone;
n03775071 mitten; n03814639 neck brace; n03837869 obelisk; n03838899 oboe; n03854065 organ; n03954731 plane;
n03983396 pop bottle; n04026417 purse; n04200800 shoe shop; n04209239 shower curtain; n04311004 steel arch bridge;
n04380533 table lamp; n04428191 thresher; n04443257 tobacco shop; n04509417 unicycle; n04525305 vending machine;
n04554684 washer; n04606251 wreck; n07583066 guacamole; n07711569 mashed potato; n07753592 banana""", """
n01558993 robin; n01751748 sea snake; n01756291 sidewinder; n01871265 tusker; n02037110 oystercatcher;
n02087046 toy terrier; n02088632 bluetick; n02093256 Staffordshire bullterrier; n02093754 Border terrier;
n02094114 Norfolk terrier; n02097298 Scotch terrier; n02105855 Shetland sheepdog; n02106166 Border collie;
n02107142 Doberman; n02110341 dalmatian; n02120079 Arctic fox; n02120505 grey fox; n02128385 leopard;
n02277742 ringlet; n02325366 wood rabbit; n02364673 guinea pig; n02708093 analog clock;
n02835271 bicycle-built-for-two; n02909870 bucket; n03085013 computer keyboard; n03127747 crash helmet;
n03160309 dam; n03255030 dumbbell; n03291819 envelope; n03450230 gown; n03530642 honeycomb; n03623198 knee pad;
n03649909 lawn mower; n03929855 pickelhaube; n03930313 picket fence; n03956157 planetarium; n04004767 printer;
n04065272 recreational vehicle; n04235860 sleeping bag; n04325704 stole; n04336792 stretcher; n04346328 stupa;
n04458633 totem pole; n04483307 trimaran; n04515003 upright; n04591157 Windsor tie; n04592741 wing;
n07613480 trifle; n07693725 bagel; n11879895 rapeseed""", """
n01443537 goldfish; n01514668 cock; n01770081 harvestman; n01773797 garden spider; n01775062 wolf spider;
n01806143 peacock; n01819313 sulphur-crested cockatoo; n01917289 brain coral; n02002724 black stork;
n02028035 redshank; n02033041 dowitcher; n02088094 Afghan hound; n02090622 borzoi; n02091134 whippet;
n02093859 Kerry blue terrier; n02096294 Australian terrier; n02099849 Chesapeake Bay retriever;
n02100735 English setter; n02105251 briard; n02107683 Bernese mountain dog; n02110185 Siberian husky;
n02111889 Samoyed; n02113799 standard poodle; n02123597 Siamese cat; n02129165 lion; n02130308 cheetah;
n02219486 ant; n02229544 cricket; n02342885 hamster; n02437616 llama; n02454379 armadillo; n02488702 colobus;
n02492660 howler monkey; n02510455 giant panda; n02536864 coho; n02643566 lionfish; n02655020 puffer;
n02666196 abacus; n02730930 apron; n02769748 backpack; n02783161 ballpoint; n02791124 barber chair;
n02794156 barometer; n02804414 bassinet; n02804610 bassoon; n02837789 bikini; n02865351 bolo tie;
n02877765 bottlecap; n02910353 buckle; n02916936 bulletproof vest; n02977058 cash machine; n02978881 cassette;
n02981792 catamaran; n02992211 cello; n03063599 coffee mug; n03134739 croquet ball; n03208938 disk brake;
n03347037 fire screen; n03355925 flagpole; n03445924 golfcart; n03447447 gondola; n03447721 gong;
n03457902 greenhouse; n03599486 jinrikisha; n03617480 kimono; n03627232 knot; n03763968 military uniform;
n03764736 milk can; n03782006 monitor; n03841143 odometer; n03868863 oxygen mask; n03874293 paddlewheel;
n03877845 palace; n03976467 Polaroid camera; n03976657 pole; n04146614 school bus; n04238763 slide rule;
n04252077 snowmobile; n04263257 soup bowl; n04264628 space bar; n04265275 space heater; n04266014 space shuttle;
n04275548 spider web; n04330267 stove; n04332243 strainer; n04335435 streetcar; n04350905 suit;
n04366367 suspension bridge; n04367480 swab; n04392985 tape player; n04479046 trench coat; n04532106 vestment;
n04579145 whiskey jug; n04604644 worm fence; n07584110 consomme; n07615774 ice lolly; n07684084 French loaf;
n07714990 broccoli; n07749582 lemon; n09288635 geyser""")


def _joined(parts: Sequence[str]) -> dict[str, str]:
    """Folder -> name of several texts of both, sorted by folder."""
    pairs = [entry.strip().split(' ', 1) for text in parts for entry in text.replace('\n', ' ').split('; ')]
    return dict(sorted((folder, name) for folder, name in pairs))



# Name of the list -> WordNet id of the folder -> what it shows. Labels count from 0 in this order.
CLASS_LISTS: Mapping[str, Mapping[str, str]] = dict(
    imagenet10=dict(
        n02056570='king penguin', n02085936='Maltese dog', n02128757='snow leopard', n02690373='airliner',
        n02692877='airship', n03095699='container ship', n04254680='soccer ball', n04285008='sports car',
        n04467665='trailer truck', n07747607='orange'),
    imagenet_dogs=dict(
        n02085936='Maltese dog', n02086646='Blenheim spaniel', n02088238='basset', n02091467='Norwegian elkhound',
        n02097130='giant schnauzer', n02099601='golden retriever', n02101388='Brittany spaniel', n02101556='clumber',
        n02102177='Welsh springer spaniel', n02105056='groenendael', n02105412='kelpie',
        n02105855='Shetland sheepdog', n02107142='Doberman', n02110958='pug', n02112137='chow'),
    imagenet50=_joined(_SCAN[:1]), imagenet100=_joined(_SCAN[:2]), imagenet200=_joined(_SCAN))


def class_folders(classes: Union[str, Sequence[str]]) -> tuple[list[str], list[str]]:
    """Look up a list of classes.

    Args:
        classes: Name of a list, or the folders themselves.

    Returns:
        The folders and the names of their classes, K of each.
    """
    if not isinstance(classes, str):
        return list(classes), list(classes)
    if classes not in CLASS_LISTS:
        raise ValueError(f'there is no class list {classes!r}; known lists: {list(CLASS_LISTS)}. Give the names of the '
                         'class folders for any other choice.')
    return list(CLASS_LISTS[classes]), list(CLASS_LISTS[classes].values())
